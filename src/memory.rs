//! How the process takes memory from the system.

/// The allocator asks for huge pages, and each is held whole for whatever little stands in it: that was 22 MB of an idle process.
/// Called before anything else: what has been taken stays as it is. Whatever the process starts inherits it.
pub fn in_small_pages() {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}
