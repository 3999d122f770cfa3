//! Which build this is: every native part carries the same id, so that parts of two builds are never mixed.
//!
//! The build script writes the id into the finished file, over the placeholder. Were it compiled in, each change of one
//! part would mean compiling and linking all of them again.

const MARK: &str = "ramekin-build-id:";
const LENGTH: usize = 16;

#[used]
static PLACE: [u8; 33] = *b"ramekin-build-id:dev             ";

/// `dev` in what cargo alone has built.
pub fn id() -> String {
    // SAFETY: it is a static; volatile, because the compiler must not know what it holds.
    let place = unsafe { std::ptr::read_volatile(&PLACE) };
    String::from_utf8_lossy(&place[MARK.len()..MARK.len() + LENGTH])
        .trim_end()
        .to_owned()
}
