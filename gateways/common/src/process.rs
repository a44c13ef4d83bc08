//! The running process: its clock, its end, and its one sentence when it cannot go on.

use std::fmt::Display;

/// CLOCK_MONOTONIC in nanoseconds, comparable between processes of this machine.
pub fn monotonic_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is valid for writing.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

extern "C" fn end(_signal: libc::c_int) {
    // SAFETY: _exit may be called from a signal handler.
    unsafe { libc::_exit(0) }
}

/// SIGTERM and SIGINT end this process at once with exit code 0, and so does the end of its parent.
pub fn end_when_told() {
    // SAFETY: the handler calls only _exit.
    unsafe {
        libc::signal(libc::SIGTERM, end as *const () as libc::sighandler_t);
        libc::signal(libc::SIGINT, end as *const () as libc::sighandler_t);
    }
    end_with_parent(libc::SIGTERM);
}

/// The kernel sends this process `signal` when the thread that started it ends. Safe between fork and exec.
pub fn end_with_parent(signal: libc::c_int) {
    // SAFETY: a system call without pointers.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, signal as libc::c_ulong) };
}

/// From now on this thread has a tenth of the CPU where others want it, as niceness 10 gives, and in slices so short (0.1 ms)
/// that who wakes up need not wait for the end of a long one. Linux counts both by thread; before 6.12 it knows no slices.
pub fn give_way() {
    let attributes = libc::sched_attr {
        size: size_of::<libc::sched_attr>() as u32,
        sched_policy: libc::SCHED_OTHER as u32,
        sched_flags: 0,
        sched_nice: 10,
        sched_priority: 0,
        sched_runtime: 100_000,
        sched_deadline: 0,
        sched_period: 0,
    };
    // SAFETY: the attributes are valid for as long as the call lasts. Where it fails the thread goes on as it was.
    unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &attributes, 0) };
}

/// Says one sentence on standard error and ends this process: 2 for a wrong command line, 1 for all else.
pub fn fail(program: &str, reason: impl Display, code: i32) -> ! {
    eprintln!("{program}: {reason}");
    std::process::exit(code)
}
