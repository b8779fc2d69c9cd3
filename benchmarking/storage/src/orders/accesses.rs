//! Counts the storage accesses that externalities trace, by kind.

use std::{cell::RefCell, collections::BTreeMap, fmt};

use tracing::{
	field::{Field, Visit},
	span, Event, Metadata, Subscriber,
};

/// Accesses by kind, such as `Get` and `Put`.
pub type Accesses = BTreeMap<String, usize>;

/// Sees the events of the state's externalities.
struct Counter;

thread_local! {
	static COUNTS: RefCell<Accesses> = const { RefCell::new(BTreeMap::new()) };
}

struct Method;

impl Visit for Method {
	fn record_str(&mut self, field: &Field, value: &str) {
		if field.name() == "method" {
			COUNTS.with_borrow_mut(|counts| *counts.entry(value.into()).or_default() += 1);
		}
	}

	fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

impl Subscriber for Counter {
	fn enabled(&self, metadata: &Metadata<'_>) -> bool {
		metadata.target() == "state"
	}

	fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
		span::Id::from_u64(1)
	}

	fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

	fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

	fn event(&self, event: &Event<'_>) {
		event.record(&mut Method);
	}

	fn enter(&self, _: &span::Id) {}

	fn exit(&self, _: &span::Id) {}
}

/// The storage accesses of `work`.
pub fn accesses(work: impl FnOnce()) -> Accesses {
	COUNTS.take();
	tracing::subscriber::with_default(Counter, work);
	COUNTS.take()
}
