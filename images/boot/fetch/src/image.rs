//! The image, from the first request to the file that is there as a whole, or to the last words.

use std::time::Instant;

use crate::arguments::Image;
use crate::download::Download;
use crate::failure::Failure;
use crate::http::Http;
use crate::key::PublicKeys;
use crate::output::Output;
use crate::room;
use crate::say::say;
use crate::signed::{self, Wanted};
use crate::tenths::Tenths;
use crate::turns::Turns;

/// Loads the image; where that fails for good, it tells the server why, if there is one to tell.
pub fn load(image: &Image) -> Result<(), Failure> {
    let http = Http::new(&image.waits);
    fetch(image, &http).inspect_err(|failure| report(&http, image.report.as_deref(), failure))
}

/// Tells the server why something failed for good, if there is one to tell.
pub fn report(http: &Http, url: Option<&str>, failure: &Failure) {
    let Some(url) = url else { return };
    if let Err(fault) = http.report(url, &failure.words) {
        say(format_args!("this could not be reported: {url}: {fault}"));
    }
}

fn fetch(image: &Image, http: &Http) -> Result<(), Failure> {
    let began = Instant::now();
    let keys = PublicKeys::read(&image.keys)?;
    let wanted = Wanted {
        keys,
        version: image.version,
        kernel: image.kernel.clone(),
        manifest: image.manifest,
    };
    let mut turns = Turns::new(&image.sources);
    let manifest = signed::fetch(http, &image.waits, &mut turns, image.tries, &wanted)?;
    let (version, size, count) = (manifest.version, manifest.size >> 20, manifest.sums.len());
    say(format_args!(
        "the signature of the image is right: version {version}, {size} MiB in {count} chunks"
    ));
    let output = Output::create(&image.output)?;
    room::check(manifest.size, &image.output)?;
    let tenths = Tenths::new(http, image.progress.as_deref(), manifest.size);
    let download = Download {
        tenths: &tenths,
        http,
        waits: &image.waits,
        manifest: &manifest,
        output: &output,
        tries: image.tries,
    };
    download.run(&mut turns)?;
    output.finish()?;
    tenths.finish();
    say(format_args!(
        "all {count} chunks are right, {:.1} s",
        began.elapsed().as_secs_f64()
    ));
    Ok(())
}
