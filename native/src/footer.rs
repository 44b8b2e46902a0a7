//! The footer of a Parquet file before the crate reads it. The crate believes the sizes of lists, follows a schema as deep
//! as it goes, and reads the fields that it knows by their numbers alone, as what they are in Parquet's Thrift definition
//! (parquet.thrift, FileMetaData): a footer that says otherwise would be another one there than here.

use crate::thrift::{zigzag, Result, Walk, MOST_DEPTH};

/// What the crate reads a field as, whatever kind the footer gives.
enum Shape {
    Whole,
    Bool,
    Byte,
    Real,
    Bytes,
    List(&'static Shape),
    Struct(&'static [(i64, Shape)]),
}
use Shape::*;

const NOTHING: Shape = Struct(&[]);
const KEY_VALUE: Shape = Struct(&[(1, Bytes), (2, Bytes)]);
const DECIMAL: Shape = Struct(&[(1, Whole), (2, Whole)]);
const TIME: Shape = Struct(&[(1, Bool), (2, Struct(&[(1, NOTHING), (2, NOTHING), (3, NOTHING)]))]);
const LOGICAL_TYPE: Shape = Struct(&[
    (1, NOTHING), (2, NOTHING), (3, NOTHING), (4, NOTHING), (5, DECIMAL), (6, NOTHING), (7, TIME), (8, TIME),
    (10, Struct(&[(1, Byte), (2, Bool)])), (11, NOTHING), (12, NOTHING), (13, NOTHING), (14, NOTHING), (15, NOTHING),
    (16, Struct(&[(1, Byte)])), (17, Struct(&[(1, Bytes)])), (18, Struct(&[(1, Bytes), (2, Whole)])),
]);
const CHILDREN: i64 = 5;
const SCHEMA_ELEMENT: &[(i64, Shape)] = &[
    (1, Whole), (2, Whole), (3, Whole), (4, Bytes), (CHILDREN, Whole), (6, Whole), (7, Whole), (8, Whole), (9, Whole), (10, LOGICAL_TYPE),
];
const STATISTICS: Shape = Struct(&[(1, Bytes), (2, Bytes), (3, Whole), (4, Whole), (5, Bytes), (6, Bytes), (7, Bool), (8, Bool)]);
const SIZES: Shape = Struct(&[(1, Whole), (2, List(&Whole)), (3, List(&Whole))]);
const BOX: Shape = Struct(&[(1, Real), (2, Real), (3, Real), (4, Real), (5, Real), (6, Real), (7, Real), (8, Real)]);
const COLUMN: Shape = Struct(&[
    (1, Whole), (2, List(&Whole)), (3, List(&Bytes)), (4, Whole), (5, Whole), (6, Whole), (7, Whole), (8, List(&KEY_VALUE)),
    (9, Whole), (10, Whole), (11, Whole), (12, STATISTICS), (13, List(&Struct(&[(1, Whole), (2, Whole), (3, Whole)]))),
    (14, Whole), (15, Whole), (16, SIZES), (17, Struct(&[(1, BOX), (2, List(&Whole))])),
]);
const CHUNK: Shape = Struct(&[(1, Bytes), (2, Whole), (3, COLUMN), (4, Whole), (5, Whole), (6, Whole), (7, Whole)]);
const ROW_GROUP: Shape = Struct(&[
    (1, List(&CHUNK)), (2, Whole), (3, Whole), (4, List(&Struct(&[(1, Whole), (2, Bool), (3, Bool)]))), (5, Whole), (6, Whole), (7, Whole),
]);
const SCHEMA: i64 = 2;
const FOOTER: &[(i64, Shape)] = &[
    (1, Whole), (SCHEMA, List(&Struct(SCHEMA_ELEMENT))), (3, Whole), (4, List(&ROW_GROUP)), (5, List(&KEY_VALUE)), (6, Bytes),
    (7, List(&Struct(&[(1, NOTHING)]))),
];

/// Passes over a field of a struct; of one that the crate does not know, it believes the kind.
fn member(walk: &mut Walk, members: &'static [(i64, Shape)], number: i64, kind: u8) -> Result<()> {
    match members.iter().find(|(known, _)| *known == number) {
        Some((_, shape)) if !fits(shape, kind) => Err(format!("field {number} of a struct in it has the kind {kind}")),
        Some((_, shape)) => shaped(walk, shape, kind),
        None => walk.value(kind, 0),
    }
}

fn fits(shape: &Shape, kind: u8) -> bool {
    match shape {
        Whole => matches!(kind, 4..=6), // three sizes that are spelled alike
        Bool => matches!(kind, 1 | 2),
        Byte => kind == 3,
        Real => kind == 7,
        Bytes => kind == 8,
        List(_) => kind == 9,
        Struct(_) => kind == 12,
    }
}

fn shaped(walk: &mut Walk, shape: &'static Shape, kind: u8) -> Result<()> {
    match shape {
        List(items) => {
            let (kind, size) = walk.list()?;
            if size > 0 && !fits(items, kind) {
                return Err(format!("a list in it has items of the kind {kind}"));
            }
            (0..size).try_for_each(|_| shaped(walk, items, kind))
        }
        Struct(members) => walk.fields(|walk, number, kind| member(walk, members, number, kind)),
        _ => walk.value(kind, 0),
    }
}

/// The tree of the schema is a list of its nodes, each of which says how many children follow it.
fn check_schema(walk: &mut Walk) -> Result<()> {
    let (kind, size) = walk.list()?;
    if kind != 12 {
        return Err("its schema is no list of columns".to_string());
    }
    let mut open = vec![1u64]; // children that are still to come, of each node around the next one
    for passed in 0..size {
        let mut children = 0;
        walk.fields(|walk, number, kind| {
            if number != CHILDREN || !fits(&Whole, kind) {
                return member(walk, SCHEMA_ELEMENT, number, kind);
            }
            children = zigzag(walk.varint()?);
            Ok(())
        })?;
        while open.last() == Some(&0) {
            open.pop();
        }
        let left = open.last_mut().ok_or("its schema has columns outside the tree")?;
        *left -= 1;
        if children < 0 || children as u64 > size - passed - 1 {
            return Err(format!("a column of its schema claims {children} columns below it"));
        }
        if children > 0 {
            open.push(children as u64);
        }
        if open.len() > MOST_DEPTH {
            return Err(format!("its columns are nested more than {MOST_DEPTH} deep"));
        }
    }
    Ok(())
}

/// What the crate would not survive is refused here.
pub fn check_footer(bytes: &[u8]) -> Result<()> {
    let mut walk = Walk::new(bytes);
    walk.fields(|walk, number, kind| match (number, kind) {
        (SCHEMA, 9) => check_schema(walk),
        _ => member(walk, FOOTER, number, kind),
    })
}
