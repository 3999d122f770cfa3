//! Which build this is: every native part carries the same id, so that parts of two builds are never mixed.

/// `dev` outside of the product's own build script.
pub const ID: &str = match option_env!("RAMEKIN_BUILD_ID") {
    Some(id) => id,
    None => "dev",
};
