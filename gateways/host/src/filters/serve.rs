//! An echo server of datagrams whose socket has a filter that is replaced while it serves: its file is watched, and the
//! version that stands in it decides how many bytes the filter keeps, which is what tells the versions apart in replies.

use std::ffi::OsString;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gateway_common::lines::{Identity, Lines, Phases};
use gateway_common::options::{one_of, value};
use gateway_common::process::{end_when_told, monotonic_ns};
use lexopt::{Arg, Parser};

use super::{Language, replace};
use crate::gateway::{no_module, read};
use crate::hot::watch::{Change, Watch};
use crate::{Failure, NAME};

const UDP_HEADER: u32 = 8;
/// Bytes of a datagram that are kept at version 0, and one more for each further version.
const KEPT: u32 = 16;
/// Longest datagram, in bytes.
const ROOM: usize = 65_536;

/// `v` and eight digits.
fn version(bytes: &[u8]) -> Option<u32> {
    let digits = bytes.windows(9).find(|window| window[0] == b'v' && window[1..].iter().all(u8::is_ascii_digit))?;
    std::str::from_utf8(&digits[1..]).ok()?.parse().ok()
}

struct Filtered {
    socket: UdpSocket,
    language: Language,
    file: PathBuf,
}

impl Filtered {
    /// Gives the socket the filter of the file's version. The file's bytes.
    fn follow(&self) -> Result<Vec<u8>, Failure> {
        let bytes = read(&self.file)?;
        let version = version(&bytes)
            .ok_or_else(|| Failure::new(format!("{} says no version, v and eight digits", self.file.display())))?;
        replace(&self.socket, self.language, UDP_HEADER + KEPT + version)?;
        Ok(bytes)
    }

    fn watch(&self, watch: &Watch) {
        while let Ok(change) = watch.wait() {
            if change == Change::Gone {
                return;
            }
            if let Err(Failure { reason, .. }) = self.follow() {
                eprintln!("{NAME}: the filter stays: {reason}");
            }
        }
    }
}

/// `filtered --listen ADDRESS:PORT --module FILE --filter ebpf|classic`: serves until it is told to end.
pub fn serve(arguments: Vec<OsString>, main: u64) -> Result<(), Failure> {
    end_when_told();
    let mut listen: SocketAddr = ([127, 0, 0, 1], 0).into();
    let mut file: Option<PathBuf> = None;
    let mut language = Language::Ebpf;
    let mut parser = Parser::from_args(arguments);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("listen") => listen = value(&mut parser, "listen")?,
            Arg::Long("module") => file = Some(parser.value()?.into()),
            Arg::Long("filter") => {
                language = [Language::Ebpf, Language::Classic][one_of(&mut parser, "filter", &["ebpf", "classic"])?];
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let file = file.ok_or_else(no_module)?;
    let cannot = |error| Failure::new(format!("cannot listen on {listen}: {error}"));
    let socket = UdpSocket::bind(listen).map_err(cannot)?;
    let bound = monotonic_ns();
    let address = socket.local_addr().map_err(cannot)?;
    let folder = file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    // Before the file is read, so that no change is missed.
    let watch =
        Watch::new(folder).map_err(|error| Failure::new(format!("{} cannot be watched: {error}", folder.display())))?;
    let filtered = Arc::new(Filtered { socket, language, file });
    let bytes = filtered.follow()?;
    let phases = Phases { main, bound, listening: monotonic_ns(), ..Phases::default() };
    let module = Some((filtered.file.as_path(), bytes.as_slice()));
    Lines::default().hello(&Identity { name: "host", mode: "filtered", module }, address, &phases);
    let watcher = Arc::clone(&filtered);
    std::thread::spawn(move || watcher.watch(&watch));
    let mut room = vec![0; ROOM];
    loop {
        // What becomes of a reply that nobody waits for any more is told here, and is no fault.
        if let Ok((length, from)) = filtered.socket.recv_from(&mut room) {
            let _ = filtered.socket.send_to(&room[..length], from);
        }
    }
}
