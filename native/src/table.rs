//! Rows of Parquet and Arrow files, one after the other.

use crate::features::Feature;
use crate::{arrow_file::ArrowFile, blame, cells, guard, parquet_file::ParquetFile, Bytes, Failure};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use std::fs::File;
use std::path::Path;

pub fn wrong(place: &str, problem: &str) -> Failure {
    Failure::Data(format!("{place}: {problem}"))
}

pub trait Batches {
    fn schema(&self) -> SchemaRef;
    fn features(&self) -> &Feature;
    /// The number of the batch's first row in the file, from 0.
    fn next(&mut self) -> Result<Option<(i64, RecordBatch)>, Failure>;
}

pub struct Table {
    path: String,
    batches: Box<dyn Batches>,
    batch: Option<(i64, RecordBatch)>,
    index: usize, // of the batch's next row
    row: Vec<u8>,
    number: i64, // of the row, from 1
}

impl Table {
    fn open(path: &str, is_arrow: bool, begin: i64, end: i64) -> Result<Self, Failure> {
        blame(Path::new(path), || {
            let file = File::open(path).map_err(|error| Failure::Config(format!("{path}: cannot be opened: {error}")))?;
            let batches: Box<dyn Batches> = match is_arrow {
                true => Box::new(ArrowFile::open(path, file, begin..end)?),
                false => Box::new(ParquetFile::open(path, file, begin..end)?),
            };
            Ok(Table { path: path.to_string(), batches, batch: None, index: 0, row: Vec::new(), number: 0 })
        })
    }

    /// False at the end.
    fn next(&mut self) -> Result<bool, Failure> {
        loop {
            if let Some((first, batch)) = &self.batch {
                if self.index < batch.num_rows() {
                    self.number = first + self.index as i64 + 1;
                    self.index += 1;
                    if let Err(problem) = cells::row(batch, self.index - 1, self.batches.features(), &mut self.row) {
                        cells::refusal(&problem, &mut self.row);
                    }
                    return Ok(true);
                }
            }
            self.batch = self.batches.next()?;
            self.index = 0;
            if self.batch.is_none() {
                return Ok(false);
            }
        }
    }
}

/// # Safety
/// `path` is readable, `out` is writable.
#[no_mangle]
pub unsafe extern "C" fn sft_table_open(path: Bytes, is_arrow: i32, begin: i64, end: i64, out: *mut *mut Table) -> i32 {
    guard(|| {
        *out = Box::into_raw(Box::new(Table::open(path.as_str()?, is_arrow != 0, begin, end)?));
        Ok(())
    })
}

/// # Safety
/// `table` is a live handle that no other thread uses, `row` and `number` are writable.
#[no_mangle]
pub unsafe extern "C" fn sft_table_next(table: *mut Table, row: *mut Bytes, number: *mut i64) -> i32 {
    guard(|| {
        let table = &mut *table;
        let path = table.path.clone();
        let found = blame(Path::new(&path), || table.next())?;
        *number = table.number;
        *row = Bytes { data: if found { table.row.as_ptr() } else { std::ptr::null() }, size: if found { table.row.len() } else { 0 } };
        Ok(())
    })
}

/// # Safety
/// As of `sft_table_next`.
#[no_mangle]
pub unsafe extern "C" fn sft_table_columns(table: *mut Table, names: *mut Bytes) -> i32 {
    guard(|| {
        let table = &mut *table;
        table.row.clear();
        let schema = table.batches.schema();
        cells::names(schema.fields().iter().map(|field| field.as_ref()), &mut table.row).map_err(|problem| wrong(&table.path, &problem))?;
        *names = Bytes { data: table.row.as_ptr(), size: table.row.len() };
        Ok(())
    })
}

/// # Safety
/// `table` is a handle that was not freed, or null.
#[no_mangle]
pub unsafe extern "C" fn sft_table_free(table: *mut Table) {
    if !table.is_null() {
        drop(Box::from_raw(table));
    }
}
