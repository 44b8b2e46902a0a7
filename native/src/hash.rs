//! SHA-256 in pieces.

use crate::Bytes;
use sha2::{Digest, Sha256};

#[no_mangle]
pub extern "C" fn sft_sha256_new() -> *mut Sha256 {
    Box::into_raw(Box::new(Sha256::new()))
}

/// # Safety
/// `hash` is a live handle, `bytes` is readable.
#[no_mangle]
pub unsafe extern "C" fn sft_sha256_update(hash: *mut Sha256, bytes: Bytes) {
    (*hash).update(bytes.as_slice());
}

/// # Safety
/// `hash` is a live handle, `digest` takes 32 bytes.
#[no_mangle]
pub unsafe extern "C" fn sft_sha256_digest(hash: *mut Sha256, digest: *mut u8) {
    let value = (*hash).finalize_reset();
    std::ptr::copy_nonoverlapping(value.as_ptr(), digest, value.len());
}

/// # Safety
/// `hash` is a handle that was not freed, or null.
#[no_mangle]
pub unsafe extern "C" fn sft_sha256_free(hash: *mut Sha256) {
    if !hash.is_null() {
        drop(Box::from_raw(hash));
    }
}
