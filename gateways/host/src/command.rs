//! A program of its own for each run: input on its standard input, body from its standard output.

use std::ffi::OsString;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gateway_common::connection::remaining;
use gateway_common::process::end_with_parent;
use gateway_common::reply::Refusal;

use crate::engine::{exit_code, too_long, too_much};
use crate::output::MAX_OUTPUT;

/// A program, its arguments, and how long it may run. No shell reads them.
pub struct Program {
    pub path: PathBuf,
    pub arguments: Vec<OsString>,
    pub deadline: Duration,
}

/// Kills its whole process group and reaps it, whatever the way out.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(Some(_))) {
            // SAFETY: a system call without pointers; the group is this child's own, and not yet reaped.
            unsafe { libc::kill(-(self.0.id() as libc::pid_t), libc::SIGKILL) };
            let _ = self.0.wait();
        }
    }
}

impl Program {
    /// What the program writes when it is given `input`, which fits into a pipe.
    pub fn run(&self, input: &[u8]) -> Result<Vec<u8>, Refusal> {
        let deadline = Instant::now() + self.deadline;
        let mut running = Running(self.spawn().map_err(fault)?);
        if let Some(mut stdin) = running.0.stdin.take() {
            // A program need not read what it is given.
            let _ = stdin.write_all(input);
        }
        let body = read_by(&mut running.0, deadline)?;
        wait_by(&running.0, deadline)?;
        let status = running.0.wait().map_err(fault)?;
        match (status.code(), status.signal()) {
            (Some(code), _) => exit_code(code).map(|()| body),
            (None, signal) => {
                let signal = signal.unwrap_or_default();
                Err(Refusal::new(500, format!("the program was ended by signal {signal}")))
            }
        }
    }

    fn spawn(&self) -> io::Result<Child> {
        let mut command = Command::new(&self.path);
        command
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0);
        // SAFETY: prctl may be called between fork and exec.
        unsafe {
            command.pre_exec(|| {
                end_with_parent(libc::SIGKILL);
                Ok(())
            });
        }
        command.spawn()
    }
}

fn fault(error: io::Error) -> Refusal {
    Refusal::new(502, format!("the program could not be run: {error}"))
}

fn read_by(child: &mut Child, deadline: Instant) -> Result<Vec<u8>, Refusal> {
    let mut body = Vec::new();
    let Some(stdout) = &mut child.stdout else { return Ok(body) };
    let mut piece = [0; 16 * 1024];
    loop {
        readable_by(stdout.as_raw_fd(), deadline)?;
        match stdout.read(&mut piece) {
            Ok(0) => return Ok(body),
            Ok(length) => body.extend_from_slice(&piece[..length]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(fault(error)),
        }
        if body.len() > MAX_OUTPUT {
            return Err(too_much());
        }
    }
}

/// Waits until `child` has ended: one may close its output and go on.
fn wait_by(child: &Child, deadline: Instant) -> Result<(), Refusal> {
    // SAFETY: a system call without pointers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, child.id() as libc::pid_t, 0) };
    if fd < 0 {
        return Err(fault(io::Error::last_os_error()));
    }
    // SAFETY: the descriptor is new, and nobody else's.
    let fd = unsafe { OwnedFd::from_raw_fd(fd as RawFd) };
    readable_by(fd.as_raw_fd(), deadline)
}

fn readable_by(fd: RawFd, deadline: Instant) -> Result<(), Refusal> {
    loop {
        let left = remaining(deadline).ok_or_else(too_long)?;
        let mut wanted = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        // Rounded up: a wait must not end before its time.
        let milliseconds = left.as_micros().div_ceil(1000).min(i32::MAX as u128) as i32;
        // SAFETY: one entry, valid for writing.
        match unsafe { libc::poll(&mut wanted, 1, milliseconds) } {
            0 => return Err(too_long()),
            ready if ready > 0 => return Ok(()),
            _ => {
                let error = io::Error::last_os_error();
                if error.kind() != ErrorKind::Interrupted {
                    return Err(fault(error));
                }
            }
        }
    }
}

/// Where `program` is: itself when it names a place, or what the search path has of it.
pub fn find(program: &OsString) -> Option<PathBuf> {
    let direct = Path::new(program);
    if direct.components().count() > 1 {
        return direct.is_file().then(|| direct.to_owned());
    }
    let search = std::env::var_os("PATH")?;
    std::env::split_paths(&search).map(|folder| folder.join(program)).find(|path| path.is_file())
}
