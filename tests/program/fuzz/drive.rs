//! Feeds damaged documents to a target for some time, with limits for time and memory.

#![expect(clippy::print_stdout, reason = "fuzz tests print the number of inputs")]

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bolero::{TypeGenerator as _, ValueGenerator as _};
use duo_sentinel::storage::Document;

use crate::fuzz::damage::{Damage, SECRET, damaged};

/// Default seconds per target; see CONTRIBUTING.md for long runs.
const SECONDS: u64 = 2;
/// Maximum number of changes per document.
const MOST_DAMAGES: usize = 6;
/// Time limit per input: the largest have some megabytes, and the program is a debug build.
const LONGEST: Duration = Duration::from_secs(20);
/// Limit for the bytes allocated at a time while one input is tested.
const MOST_MEMORY: u64 = 128 << 20;

/// An input, formatted as text if a property fails.
#[derive(Clone)]
pub(crate) struct Input(Vec<u8>);

impl fmt::Debug for Input {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.0);
        let shown: String = text.chars().take(4_000).collect();
        write!(formatter, "{} bytes: {shown}", self.0.len())
    }
}

fn seconds() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "test duration is not a setting of the program")]
    let given = std::env::var("DUO_SENTINEL_FUZZ_SECONDS").ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(SECONDS)
}

/// Tests a property with the documents, with damaged copies of them, and with raw bytes. A failing
/// input is reduced and printed with a seed; `BOLERO_RANDOM_SEED` repeats it.
pub(crate) fn fuzz(target: &str, documents: &[&[u8]], property: impl Fn(&[u8])) {
    let peak = Cell::new(0);
    let property = |input: &[u8]| {
        let used = memory_of(|| property(input));
        assert!(used < MOST_MEMORY, "{used} bytes of memory for {} bytes", input.len());
        peak.set(used.max(peak.get()));
    };
    for document in documents {
        property(document);
    }
    // After a panic the property runs again only to reduce the input.
    let property = AssertUnwindSafe(property);
    let tried = AssertUnwindSafe(Cell::new(documents.len()));
    let watch = Watch::begin(target);
    let own: Vec<Vec<u8>> = documents.iter().map(|document| document.to_vec()).collect();
    let damages = Vec::<Damage>::produce().with().len(0..=MOST_DAMAGES);
    let raw = Vec::<u8>::produce().with().len(0..=200_usize);
    let generator = (u16::produce(), damages, raw).map_gen(
        move |(which, damages, raw): (u16, Vec<Damage>, Vec<u8>)| {
            // Some inputs are raw bytes, also damaged.
            match own.get(usize::from(which) % (own.len() * 8 + 1) / 8) {
                Some(document) => Input(damaged(document, &damages)),
                None => Input(damaged(&raw, &damages)),
            }
        },
    );
    let began = Instant::now();
    bolero::check!()
        .with_test_time(Duration::from_secs(seconds()))
        .with_generator(generator)
        .for_each(|input: &Input| {
            watch.next();
            (*property)(&input.0);
            tried.set(tried.get() + 1);
        });
    let (tried, took) = (tried.get(), began.elapsed().as_secs_f64());
    let peak = peak.get().div_ceil(1 << 20);
    println!("fuzz {target}: {tried} inputs in {took:.1} s, at most {peak} MiB each");
    assert!(tried > 20, "{target}: only {tried} inputs");
}

/// The most bytes that this thread has allocated at a time during `work`.
fn memory_of(work: impl FnOnce()) -> u64 {
    let mut outcome = Ok(());
    let used = allocation_counter::measure(|| {
        // The measurement does not end if a panic passes through it.
        outcome = catch_unwind(AssertUnwindSafe(work));
    });
    outcome.unwrap_or_else(|panic| resume_unwind(panic));
    used.bytes_max
}

/// Like [`fuzz`], with stored documents: a document that was read is equal after writing and
/// reading it again and can be used, and no error shows its content.
pub(crate) fn fuzz_stored<D: Document + fmt::Debug + PartialEq>(
    target: &str,
    documents: &[&[u8]],
    use_of: impl Fn(D),
) {
    fuzz(target, documents, |bytes| match D::from_json(bytes) {
        Err(error) => assert!(!error.to_string().contains(SECRET), "{error}"),
        Ok(read) => {
            assert_eq!(D::from_json(&read.to_json()).unwrap(), read);
            use_of(read);
        }
    });
}

/// Aborts the process if one input takes too long, because no test can fail in that case.
struct Watch(Arc<AtomicU64>);

impl Watch {
    fn begin(target: &str) -> Self {
        let inputs = Arc::new(AtomicU64::new(0));
        let (watched, target) = (Arc::downgrade(&inputs), target.to_owned());
        std::thread::spawn(move || {
            let (mut last, mut since) = (0, Instant::now());
            while let Some(inputs) = watched.upgrade() {
                let now = inputs.load(Ordering::Relaxed);
                drop(inputs);
                if now != last {
                    (last, since) = (now, Instant::now());
                }
                if since.elapsed() > LONGEST {
                    println!("fuzz {target}: input {now} does not end");
                    std::process::abort();
                }
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        Self(inputs)
    }

    fn next(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
