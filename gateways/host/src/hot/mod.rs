//! A module that is exchanged while it serves: its file is watched, and what is put there takes the place of the one
//! before once it is trusted, compiled and has an instance. What cannot be used changes nothing.

mod resident;
mod trust;
pub mod watch;

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use gateway_common::json::push_string;
use gateway_common::lines::say;
use gateway_common::process::{give_way, monotonic_ns};
use gateway_common::reply::{Refusal, Reply};
use gateway_common::workloads::sha256;
use wasmtime::{Engine, Module};

use crate::engine::{self, Instances, Limits, Runner, Wasi};
use crate::gateway::reason_of;
use crate::output::MAX_OUTPUT;
use crate::{Failure, NAME};
use resident::{Resident, is_resident};
pub use trust::{Trust, key};
use watch::{Change, Watch};

/// Largest module, in bytes.
const MAX_MODULE: u64 = 64 << 20;

/// How a module serves.
enum Guest {
    /// an instance for each request
    Command(Box<Runner>),
    /// one instance for all, which stands in its place; empty: another module has taken over
    Resident(Box<Mutex<Option<Resident>>>, Module),
}

struct Live {
    digest: Arc<str>,
    bytes: usize,
    guest: Guest,
}

/// What became of the state of the one before.
#[derive(Clone, Copy)]
enum State {
    HandedOver,
    Lost,
    /// there was none: an instance for each request keeps nothing
    None,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            State::HandedOver => "handed-over",
            State::Lost => "lost",
            State::None => "none",
        }
    }
}

/// How modules are made ready.
struct Maker {
    file: PathBuf,
    engine: Engine,
    wasi: Wasi,
    limits: Limits,
    trust: Trust,
}

pub struct Hot {
    maker: Maker,
    live: RwLock<Arc<Live>>,
}

impl Hot {
    /// Loads the module in `file`, and if it is to `follow` every one that is put there from now on. Beside it the bytes of
    /// the first.
    pub fn start(file: &Path, wasi: Wasi, limits: Limits, trust: Trust, follow: bool) -> Result<(Arc<Self>, Vec<u8>), Failure> {
        let engine = engine::engine(Instances::Prepared, limits).map_err(|error| Failure::new(error.to_string()))?;
        let maker = Maker { file: file.to_owned(), engine, wasi, limits, trust };
        let folder = file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        // Before the file is read, so that no change is missed.
        let watch = Watch::new(folder)
            .map_err(|error| Failure::new(format!("{} cannot be watched: {error}", folder.display())))?;
        let (wasm, live) = maker
            .read()
            .and_then(|wasm| maker.make(&wasm, sha256(&wasm)).map(|live| (wasm, live)))
            .map_err(|reason| Failure::new(format!("{} cannot be used as a module: {reason}", file.display())))?;
        let hot = Arc::new(Self { maker, live: RwLock::new(Arc::new(live)) });
        if follow {
            let watcher = Arc::clone(&hot);
            std::thread::spawn(move || {
                // Compiling must not hold up who is served meanwhile.
                give_way();
                watcher.follow(&watch);
            });
        }
        Ok((hot, wasm))
    }

    /// What the module makes of `input`, and which one it was.
    pub fn reply(&self, input: Vec<u8>) -> Result<Reply, Refusal> {
        loop {
            let live = self.live();
            let body = match &live.guest {
                Guest::Command(runner) => runner.run(input)?,
                Guest::Resident(place, module) => {
                    let mut place = lock(place);
                    // Taken over between the look and the lock: the next look finds the new one.
                    let Some(resident) = place.as_mut() else { continue };
                    match resident.run(&input) {
                        Ok(body) => body,
                        Err(refusal) => {
                            self.begin_anew(&live, module, &mut place, &refusal);
                            return Err(refusal);
                        }
                    }
                }
            };
            return Ok(Reply { module: Some(Arc::clone(&live.digest)), ..Reply::text(body) });
        }
    }

    fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A fresh instance in the place of one that failed, whose state nobody knows.
    fn begin_anew(&self, live: &Live, module: &Module, place: &mut Option<Resident>, refusal: &Refusal) {
        if let Ok(fresh) = Resident::new(&self.maker.engine, module, self.maker.limits) {
            *place = Some(fresh);
        }
        eprintln!(
            "{NAME}: the instance of module {} was made anew, its state is lost: {}",
            live.digest, refusal.reason
        );
    }

    fn follow(&self, watch: &Watch) {
        let signature = trust::beside(&self.maker.file);
        let ours = [self.maker.file.file_name(), signature.file_name()];
        let about = |name: &OsStr| ours.contains(&Some(name));
        loop {
            match watch.wait() {
                Ok(Change::Files(names)) if !names.iter().any(|name| about(name)) => {}
                Ok(Change::Files(_) | Change::Everything) => self.exchange(),
                Ok(Change::Gone) => return self.keep("its folder is gone, and no longer watched"),
                Err(error) => return self.keep(&format!("its folder is no longer watched: {error}")),
            }
        }
    }

    /// Lets the module in the file serve, unless it does so already, or cannot.
    fn exchange(&self) {
        let ended = self.maker.read().and_then(|wasm| {
            let digest = sha256(&wasm);
            if *digest == *self.live().digest {
                return Ok(());
            }
            self.take_over(self.maker.make(&wasm, digest)?)
        });
        if let Err(reason) = ended {
            self.keep(&reason);
        }
    }

    /// From here on `new` serves. Requests in flight end on the old one, which hands its state over behind the last of them.
    fn take_over(&self, new: Live) -> Result<(), String> {
        let old = self.live();
        let (digest, bytes) = (Arc::clone(&new.digest), new.bytes);
        let put = |new| *self.live.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        let state = match &old.guest {
            Guest::Command(_) => {
                put(new);
                State::None
            }
            Guest::Resident(place, _) => {
                let mut place = lock(place);
                let state = match place.as_mut() {
                    Some(old) => hand_over(old, &new)?,
                    None => State::Lost,
                };
                put(new);
                *place = None;
                state
            }
        };
        let mut line = String::from("{\"event\":\"module\",\"file\":");
        push_string(&mut line, self.maker.file.as_os_str().as_encoded_bytes());
        let (now, state) = (monotonic_ns(), state.name());
        say(&format!("{line},\"sha256\":\"{digest}\",\"bytes\":{bytes},\"state\":\"{state}\",\"monotonicNs\":{now}}}"));
        Ok(())
    }

    /// Says why the module stays that serves.
    fn keep(&self, reason: &str) {
        let digest = self.live().digest.clone();
        eprintln!("{NAME}: {} is not loaded, {digest} serves on: {reason}", self.maker.file.display());
        let mut line = format!("{{\"event\":\"module-kept\",\"sha256\":\"{digest}\",\"reason\":");
        push_string(&mut line, reason.as_bytes());
        say(&format!("{line},\"monotonicNs\":{}}}", monotonic_ns()));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hand_over(old: &mut Resident, new: &Live) -> Result<State, String> {
    let Guest::Resident(place, _) = &new.guest else { return Ok(State::Lost) };
    let mut place = lock(place);
    let Some(next) = place.as_mut() else { return Ok(State::Lost) };
    let told = |refusal: Refusal| refusal.reason;
    let state =
        old.save().map_err(|refusal| format!("the state of the one before was not given: {}", told(refusal)))?;
    let Some(state) = state.filter(|state| state.len() <= MAX_OUTPUT) else { return Ok(State::Lost) };
    Ok(if next.restore(&state).map_err(told)? { State::HandedOver } else { State::Lost })
}

impl Maker {
    /// The bytes in the file, of which alone all that follows is decided. Whatever is put there, this does not wait.
    fn read(&self) -> Result<Vec<u8>, String> {
        let cannot = |error: std::io::Error| format!("it cannot be read: {error}");
        let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&self.file).map_err(cannot)?;
        let about = file.metadata().map_err(cannot)?;
        if !about.is_file() || about.len() > MAX_MODULE {
            return Err(format!("it is no regular file of at most {MAX_MODULE} bytes"));
        }
        let mut wasm = Vec::with_capacity(about.len() as usize);
        file.take(MAX_MODULE).read_to_end(&mut wasm).map_err(cannot)?;
        Ok(wasm)
    }

    /// A module that is ready to serve.
    fn make(&self, wasm: &[u8], digest: String) -> Result<Live, String> {
        self.trust.check(&self.file, wasm, &digest)?;
        let guest = self.guest(wasm).map_err(|error| reason_of(&error))?;
        Ok(Live { digest: digest.into(), bytes: wasm.len(), guest })
    }

    fn guest(&self, wasm: &[u8]) -> wasmtime::Result<Guest> {
        let module = engine::compile(&self.engine, wasm)?;
        if is_resident(&module) {
            let resident = Resident::new(&self.engine, &module, self.limits)?;
            return Ok(Guest::Resident(Box::new(Mutex::new(Some(resident))), module));
        }
        let runner = Runner::new(module, Instances::Prepared, self.wasi, self.limits)?;
        Ok(Guest::Command(Box::new(runner)))
    }
}
