//! An idle supervisor should cost next to nothing: one waits beside every container.
//!
//! Everything that runs only at the beginning and at the end (JSON, mounts, name look-ups) leaves pages behind: freed heap,
//! used stack, and the program's own text. All can go: heap and stack are garbage, text comes back from the page cache.

/// Left alone below the stack pointer: the frames of the calls that give the rest back.
const MARGIN: usize = 16 << 10;
/// A process's first stack; below it lies the kernel's guard gap, where nothing is ever mapped.
const STACK: usize = 128 << 10;

extern "C" {
    // The linker's: where the read-only part of the program begins and where its code ends.
    static __executable_start: u8;
    static etext: u8;
}

/// Gives the kernel back what only the past needed. Costs a few page faults at the next event.
pub fn give_back() {
    let text = (
        std::ptr::addr_of!(__executable_start).addr(),
        std::ptr::addr_of!(etext).addr(),
    );
    // SAFETY: no pointers.
    unsafe { libc::malloc_trim(0) };
    drop_pages(text.0, text.1);
    let stack = stack_pointer();
    drop_pages(stack.saturating_sub(STACK), stack.saturating_sub(MARGIN));
}

/// About where the stack ends now.
#[inline(never)]
fn stack_pointer() -> usize {
    let local = 0_u8;
    std::hint::black_box(std::ptr::from_ref(&local)).addr()
}

/// Whole pages between two addresses.
fn drop_pages(from: usize, to: usize) {
    const PAGE: usize = 4096;
    let (from, to) = (from.next_multiple_of(PAGE), to & !(PAGE - 1));
    if from < to {
        // SAFETY: the two callers name our read-only file mappings, whose pages read the same when they come back, and stack
        // below every live frame, which nothing reads before it is written.
        unsafe { libc::madvise(from as *mut libc::c_void, to - from, libc::MADV_DONTNEED) };
    }
}
