//! Hints to the processor that memory will be read.

/// Asks for a value ahead of its use; nothing where there is no such instruction.
#[inline(always)]
pub(crate) fn prefetch<T>(value: &T) {
	#[cfg(target_arch = "x86_64")]
	{
		use std::arch::x86_64::{_mm_prefetch, _MM_HINT_T0};
		const CACHE_LINE: usize = 64;
		let start = std::ptr::from_ref(value).cast::<i8>();
		for offset in (0..size_of::<T>()).step_by(CACHE_LINE) {
			#[allow(unused_unsafe, unsafe_code)]
			// SAFETY: a hint has no effect on what is computed, whatever the address.
			unsafe {
				_mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(offset));
			}
		}
	}
	#[cfg(not(target_arch = "x86_64"))]
	let _ = value;
}
