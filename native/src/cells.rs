//! Values of Arrow's arrays as the bytes that data/native/table.cpp reads back: one byte for the kind, then
//!   N null · T F a boolean · I a whole number, its digits as text · R a float64 · S a text · B bytes that are no text
//!   X a value of a kind that no task reads · [ items ] · { names and values in turn }
//!   E in the place of a row: what is wrong with it, a text
//! where texts, digits and bytes are a length (uint32, little-endian) and what has it.

use crate::features::Feature;
use crate::json_cells;
use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field, TimeUnit};

/// As `kMostRowBytes` in data/readers/window.h.
pub const MOST_ROW_BYTES: usize = 64 << 20;
const TOO_LONG: &str = "the row is longer than 64 MiB";
/// As `kMostDepth` in data/readers/json_row.cpp.
pub const MOST_DEPTH: usize = 32;

pub fn row(batch: &RecordBatch, index: usize, features: &Feature, out: &mut Vec<u8>) -> Result<(), String> {
    out.clear();
    out.push(b'{');
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        sized(b'S', field.name().as_bytes(), out)?;
        cell(column, index, features.member(field.name()), 1, out)?;
    }
    out.push(b'}');
    Ok(())
}

pub fn refusal(problem: &str, out: &mut Vec<u8>) {
    out.clear();
    let _ = sized(b'E', problem.as_bytes(), out);
}

pub fn names<'a>(fields: impl Iterator<Item = &'a Field>, out: &mut Vec<u8>) -> Result<(), String> {
    out.push(b'[');
    for field in fields {
        sized(b'S', field.name().as_bytes(), out)?;
    }
    out.push(b']');
    Ok(())
}

pub fn sized(kind: u8, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    if out.len() + bytes.len() > MOST_ROW_BYTES {
        return Err(TOO_LONG.to_string());
    }
    out.push(kind);
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}

fn whole(value: impl ToString, feature: Option<&Feature>, out: &mut Vec<u8>) -> Result<(), String> {
    let digits = value.to_string();
    match feature.map_or(&[][..], |feature| &feature.classes) {
        [] => sized(b'I', digits.as_bytes(), out),
        // Of rows without a label, as in test splits.
        _ if digits == "-1" => Ok(out.push(b'N')),
        names => {
            let name = digits.parse().ok().and_then(|index: usize| names.get(index));
            let name = name.ok_or_else(|| format!("the label {digits} is none of the {} that the file names", names.len()))?;
            sized(b'S', name.as_bytes(), out)
        }
    }
}

pub fn real(value: f64, out: &mut Vec<u8>) {
    out.push(b'R');
    out.extend_from_slice(&value.to_le_bytes());
}

/// As the number is written with the digits that its own type needs: 0.1, not 0.10000000149.
fn narrow_real(value: impl ToString, out: &mut Vec<u8>) {
    real(value.to_string().parse().unwrap_or(f64::NAN), out)
}

fn bytes(value: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let kind = if std::str::from_utf8(value).is_ok() { b'S' } else { b'B' };
    sized(kind, value, out)
}

fn text(value: &str, feature: Option<&Feature>, depth: usize, out: &mut Vec<u8>) -> Result<(), String> {
    if feature.is_some_and(|feature| feature.is_json) {
        return json_cells::cell(value, depth, out);
    }
    sized(b'S', value.as_bytes(), out)
}

fn items(values: &dyn Array, feature: Option<&Feature>, depth: usize, out: &mut Vec<u8>) -> Result<(), String> {
    // datasets writes a sequence of objects as an object of lists, and says of its members what their items are.
    let feature = feature.map(|feature| feature.items.as_deref().unwrap_or(feature));
    out.push(b'[');
    for index in 0..values.len() {
        cell(values, index, feature, depth + 1, out)?;
    }
    out.push(b']');
    Ok(())
}

fn cell(array: &dyn Array, index: usize, feature: Option<&Feature>, depth: usize, out: &mut Vec<u8>) -> Result<(), String> {
    if depth > MOST_DEPTH {
        return Ok(out.push(b'X'));
    }
    if out.len() > MOST_ROW_BYTES {
        return Err(TOO_LONG.to_string());
    }
    if array.is_null(index) {
        return Ok(out.push(b'N'));
    }
    macro_rules! whole_of {
        ($type:ty) => {
            whole(array.as_primitive::<$type>().value(index), feature, out)
        };
    }
    match array.data_type() {
        DataType::Null => Ok(out.push(b'N')),
        DataType::Boolean => Ok(out.push(if array.as_boolean().value(index) { b'T' } else { b'F' })),
        DataType::Int8 => whole_of!(Int8Type),
        DataType::Int16 => whole_of!(Int16Type),
        DataType::Int32 => whole_of!(Int32Type),
        DataType::Int64 => whole_of!(Int64Type),
        DataType::UInt8 => whole_of!(UInt8Type),
        DataType::UInt16 => whole_of!(UInt16Type),
        DataType::UInt32 => whole_of!(UInt32Type),
        DataType::UInt64 => whole_of!(UInt64Type),
        DataType::Float16 => Ok(narrow_real(array.as_primitive::<Float16Type>().value(index), out)),
        DataType::Float32 => Ok(narrow_real(array.as_primitive::<Float32Type>().value(index), out)),
        DataType::Float64 => Ok(real(array.as_primitive::<Float64Type>().value(index), out)),
        DataType::Decimal32(..) => decimal(array.as_primitive::<Decimal32Type>().value_as_string(index), out),
        DataType::Decimal64(..) => decimal(array.as_primitive::<Decimal64Type>().value_as_string(index), out),
        DataType::Decimal128(..) => decimal(array.as_primitive::<Decimal128Type>().value_as_string(index), out),
        DataType::Decimal256(..) => decimal(array.as_primitive::<Decimal256Type>().value_as_string(index), out),
        DataType::Date32 => whole_of!(Date32Type),
        DataType::Date64 => whole_of!(Date64Type),
        DataType::Timestamp(unit, _) => match unit {
            TimeUnit::Second => whole_of!(TimestampSecondType),
            TimeUnit::Millisecond => whole_of!(TimestampMillisecondType),
            TimeUnit::Microsecond => whole_of!(TimestampMicrosecondType),
            TimeUnit::Nanosecond => whole_of!(TimestampNanosecondType),
        },
        DataType::Time32(TimeUnit::Second) => whole_of!(Time32SecondType),
        DataType::Time32(_) => whole_of!(Time32MillisecondType),
        DataType::Time64(TimeUnit::Microsecond) => whole_of!(Time64MicrosecondType),
        DataType::Time64(_) => whole_of!(Time64NanosecondType),
        DataType::Duration(unit) => match unit {
            TimeUnit::Second => whole_of!(DurationSecondType),
            TimeUnit::Millisecond => whole_of!(DurationMillisecondType),
            TimeUnit::Microsecond => whole_of!(DurationMicrosecondType),
            TimeUnit::Nanosecond => whole_of!(DurationNanosecondType),
        },
        DataType::Utf8 => text(array.as_string::<i32>().value(index), feature, depth, out),
        DataType::LargeUtf8 => text(array.as_string::<i64>().value(index), feature, depth, out),
        DataType::Utf8View => text(array.as_string_view().value(index), feature, depth, out),
        DataType::Binary => bytes(array.as_binary::<i32>().value(index), out),
        DataType::LargeBinary => bytes(array.as_binary::<i64>().value(index), out),
        DataType::BinaryView => bytes(array.as_binary_view().value(index), out),
        DataType::FixedSizeBinary(_) => bytes(array.as_fixed_size_binary().value(index), out),
        DataType::List(_) => items(&array.as_list::<i32>().value(index), feature, depth, out),
        DataType::LargeList(_) => items(&array.as_list::<i64>().value(index), feature, depth, out),
        DataType::ListView(_) => items(&array.as_list_view::<i32>().value(index), feature, depth, out),
        DataType::LargeListView(_) => items(&array.as_list_view::<i64>().value(index), feature, depth, out),
        DataType::FixedSizeList(..) => items(&array.as_fixed_size_list().value(index), feature, depth, out),
        DataType::Struct(fields) => {
            let object = array.as_struct();
            let feature = feature.map(|feature| feature.items.as_deref().unwrap_or(feature));
            out.push(b'{');
            for (field, column) in fields.iter().zip(object.columns()) {
                sized(b'S', field.name().as_bytes(), out)?;
                cell(column, index, feature.and_then(|feature| feature.member(field.name())), depth + 1, out)?;
            }
            Ok(out.push(b'}'))
        }
        DataType::Dictionary(..) => {
            // The keys are normalized all at once: of a slice, one.
            let one = array.slice(index, 1);
            let words = one.as_any_dictionary();
            let place = words.normalized_keys()[0];
            cell(words.values(), place, feature, depth, out)
        }
        _ => Ok(out.push(b'X')),
    }
}

fn decimal(spelled: String, out: &mut Vec<u8>) -> Result<(), String> {
    if spelled.contains('.') {
        return Ok(narrow_real(spelled, out));
    }
    sized(b'I', spelled.as_bytes(), out)
}
