//! SIGQUIT: no connection is accepted any more, each ends behind its next reply, and then so does the process.

use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

static TOLD: AtomicBool = AtomicBool::new(false);
static LISTENER: AtomicI32 = AtomicI32::new(-1);

extern "C" fn drain(_signal: libc::c_int) {
    TOLD.store(true, Ordering::SeqCst);
    // SAFETY: shutdown may be called from a signal handler. All who wait in accept are woken.
    unsafe { libc::shutdown(LISTENER.load(Ordering::SeqCst), libc::SHUT_RD) };
}

/// `listener` is the process' only one, and stays open.
pub fn end_behind_requests_when_told(listener: &TcpListener) {
    LISTENER.store(listener.as_raw_fd(), Ordering::SeqCst);
    // SAFETY: the handler calls only shutdown.
    unsafe { libc::signal(libc::SIGQUIT, drain as *const () as libc::sighandler_t) };
}

pub fn is_told() -> bool {
    TOLD.load(Ordering::Relaxed)
}
