//! Arrays as NumPy writes them, and everything else.

use opensand_zk_cli::{
	dataset::{Dataset, DatasetError},
	npy::{read, Array, NpyError},
};

/// A file of version 1 with this header and data.
fn file(header: &str, data: &[u8]) -> Vec<u8> {
	[
		b"\x93NUMPY\x01\x00",
		&(header.len() as u16).to_le_bytes()[..],
		header.as_bytes(),
		data,
	]
	.concat()
}

fn array(shape: &[usize], values: &[f64]) -> Array {
	Array {
		shape: shape.to_vec(),
		values: values.to_vec(),
	}
}

#[test]
fn every_type_of_element() {
	let read = |descr: &str, data: &[u8]| {
		read(&file(
			&format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (2,), }}  \n"),
			data,
		))
	};
	let expected = Ok(array(&[2], &[1.0, -2.0]));
	assert_eq!(
		read("<f4", &[1f32, -2.0].map(f32::to_le_bytes).concat()),
		expected
	);
	assert_eq!(
		read("<f8", &[1f64, -2.0].map(f64::to_le_bytes).concat()),
		expected
	);
	assert_eq!(read("|i1", &[1, 254]), expected);
	assert_eq!(read("<i2", &[1i16, -2].map(i16::to_le_bytes).concat()), expected);
	assert_eq!(read("<i4", &[1i32, -2].map(i32::to_le_bytes).concat()), expected);
	assert_eq!(read("<i8", &[1i64, -2].map(i64::to_le_bytes).concat()), expected);
	assert_eq!(read("|u1", &[1, 254]), Ok(array(&[2], &[1.0, 254.0])));
	assert_eq!(read(">f4", &[0; 8]), Err(NpyError::UnsupportedType(">f4".into())));
	assert_eq!(
		read("<f4", &f32::NAN.to_le_bytes().repeat(2)),
		Err(NpyError::BadElement(0))
	);
	assert_eq!(
		read("|u1", &[1]),
		Err(NpyError::WrongLength {
			found: 1,
			expected: 2
		})
	);
	assert_eq!(
		read("|u1", &[1; 3]),
		Err(NpyError::WrongLength {
			found: 3,
			expected: 2
		})
	);
}

#[test]
fn headers() {
	let read = |header: &str| read(&file(header, &[7]));
	let bad = |text: &'static str| Err(NpyError::BadHeader(text));
	assert_eq!(
		read("{'shape':(1,1),'fortran_order':False,'descr':'|u1'}"),
		Ok(array(&[1, 1], &[7.0]))
	);
	assert_eq!(
		read("{'shape':(),'fortran_order':True,'descr':'|u1'}"),
		Ok(array(&[], &[7.0]))
	);
	assert_eq!(
		read("{'shape':(1,1),'fortran_order':True,'descr':'|u1'}"),
		Err(NpyError::FortranOrder)
	);
	assert_eq!(
		read("{'shape':(1),'fortran_order':False}"),
		bad("a key is missing")
	);
	assert_eq!(read("{'shape':(1),'shape':(1)}"), bad("a key twice"));
	assert_eq!(read("{'size':(1)}"), bad("an unknown key"));
	assert_eq!(read("{'shape':(-1)}"), bad("a dimension is not a number"));
	assert_eq!(
		read("{'shape':(99999999999999999999)}"),
		bad("a dimension is not a number")
	);
	assert_eq!(
		read("{'shape':(1,1,1,1,1,1,1,1,1)}"),
		bad("more than 8 dimensions")
	);
	assert_eq!(read("{'shape"), bad("a string does not end"));
	assert_eq!(read("{} 1"), bad("something after the dictionary"));
	assert_eq!(read("[]"), bad("an unexpected character"));
	let overflow = "{'shape':(9223372036854775807,9223372036854775807),'fortran_order':False,'descr':'<f8'}";
	assert_eq!(
		read(overflow),
		Err(NpyError::WrongLength {
			found: 1,
			expected: usize::MAX
		})
	);
}

#[test]
fn frames() {
	assert_eq!(read(b""), Err(NpyError::BadMagic));
	assert_eq!(
		read(b"\x93NUMPY"),
		Err(NpyError::BadHeader("the file ends before it"))
	);
	assert_eq!(
		read(b"\x93NUMPY\x01\x00\x10"),
		Err(NpyError::BadHeader("the file ends before it"))
	);
	assert_eq!(
		read(b"\x93NUMPY\x01\x00\x10\x00{}"),
		Err(NpyError::BadHeader("the file ends in it"))
	);
	assert_eq!(
		read(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}"),
		Err(NpyError::BadHeader("the file ends in it"))
	);
	assert_eq!(
		read(b"\x93NUMPY\x04\x00\x10\x00{}"),
		Err(NpyError::UnsupportedVersion(4))
	);
}

#[test]
fn data_sets() {
	let images = array(&[2, 1, 3], &[0.0; 6]);
	let data = Dataset::new(&images, Some(&array(&[2], &[3.0, 9.0])), 3).unwrap();
	assert_eq!((data.len(), data.labels()), (2, Some(&[3, 9][..])));
	assert!(data.image(1).is_some() && data.image(2).is_none());
	let error = Dataset::new(&images, None, 4).unwrap_err();
	assert!(matches!(
		error,
		DatasetError::WrongImageSize {
			found: 3,
			expected: 4,
			..
		}
	));
	let error = Dataset::new(&images, Some(&array(&[1], &[0.0])), 3).unwrap_err();
	assert!(matches!(
		error,
		DatasetError::WrongLabelCount { labels: 1, images: 2 }
	));
	for label in [0.5, -1.0, 65536.0] {
		let error = Dataset::new(&images, Some(&array(&[2], &[0.0, label])), 3).unwrap_err();
		assert!(matches!(error, DatasetError::Label(NpyError::BadElement(1))));
	}
	for empty in [array(&[], &[]), array(&[0, 3], &[]), array(&[3, 0], &[])] {
		assert!(matches!(Dataset::new(&empty, None, 3), Err(DatasetError::Empty)));
	}
}
