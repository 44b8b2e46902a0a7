//! Memory that is not there: Rust would abort. The process ends as the rest of the program does it, told and with the
//! code of errors.h.

use std::alloc::{GlobalAlloc, Layout, System};

const OUT_OF_MEMORY: i32 = 82;
const STANDARD_ERROR: i32 = 2;

extern "C" {
    fn write(file: i32, bytes: *const u8, size: usize) -> isize;
    fn _exit(code: i32) -> !;
}

struct Told;

#[global_allocator]
static ALLOCATOR: Told = Told;

/// Without allocating.
fn end(size: usize) -> ! {
    let mut digits = [0u8; 20];
    let (mut first, mut rest) = (digits.len(), size);
    while first == digits.len() || rest > 0 {
        first -= 1;
        digits[first] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    for part in [
        "[sft-dist] error: out of memory: a tokenizer, a chat template or a file of rows asks for ".as_bytes(),
        &digits[first..],
        b" bytes\n",
    ] {
        unsafe { write(STANDARD_ERROR, part.as_ptr(), part.len()) };
    }
    unsafe { _exit(OUT_OF_MEMORY) }
}

fn told(memory: *mut u8, size: usize) -> *mut u8 {
    if memory.is_null() {
        end(size);
    }
    memory
}

unsafe impl GlobalAlloc for Told {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        told(System.alloc(layout), layout.size())
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        told(System.alloc_zeroed(layout), layout.size())
    }
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        told(System.realloc(memory, layout, size), size)
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        System.dealloc(memory, layout)
    }
}
