//! Waits for files of a folder to be put in place: by a rename, or by closing them after they were written.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// Room for what is told at a time, in bytes: some dozens of events with the longest names.
const ROOM: usize = 16 * 1024;

pub struct Watch {
    inotify: OwnedFd,
}

/// What a wait ended with.
#[derive(Debug, PartialEq)]
pub enum Change {
    /// names in the folder, each once; all may have changed where there were more than the system told
    Files(Vec<OsString>),
    Everything,
    /// the folder is gone
    Gone,
}

impl Watch {
    pub fn new(folder: &Path) -> io::Result<Self> {
        let path = CString::new(folder.as_os_str().as_bytes())?;
        // SAFETY: a system call without pointers.
        let fd = unsafe { libc::inotify_init1(libc::IN_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new, and nobody else's.
        let inotify = unsafe { OwnedFd::from_raw_fd(fd) };
        let events = libc::IN_CLOSE_WRITE | libc::IN_MOVED_TO | libc::IN_ONLYDIR | libc::IN_DELETE_SELF;
        // SAFETY: the path ends with a zero.
        if unsafe { libc::inotify_add_watch(fd, path.as_ptr(), events) } < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { inotify })
    }

    /// Blocks until something was put in place.
    pub fn wait(&self) -> io::Result<Change> {
        let mut room = [0u8; ROOM];
        loop {
            // SAFETY: `room` is valid for writing.
            let read = unsafe { libc::read(self.inotify.as_raw_fd(), room.as_mut_ptr().cast(), ROOM) };
            if read >= 0 {
                return Ok(changes(&room[..read as usize]));
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }
}

/// What inotify told.
fn changes(mut told: &[u8]) -> Change {
    const HEAD: usize = size_of::<libc::inotify_event>();
    let mut names: Vec<OsString> = Vec::new();
    while told.len() >= HEAD {
        // SAFETY: so many bytes are there, and any of them make an event.
        let event: libc::inotify_event = unsafe { std::ptr::read_unaligned(told.as_ptr().cast()) };
        let end = told.len().min(HEAD + event.len as usize);
        if event.mask & (libc::IN_IGNORED | libc::IN_DELETE_SELF) != 0 {
            return Change::Gone;
        }
        if event.mask & libc::IN_Q_OVERFLOW != 0 {
            return Change::Everything;
        }
        let name = told[HEAD..end].split(|&byte| byte == 0).next().unwrap_or_default();
        if !names.iter().any(|known| known == OsStr::from_bytes(name)) {
            names.push(OsString::from_vec(name.to_vec()));
        }
        told = &told[end..];
    }
    Change::Files(names)
}
