//! The sample articles inside the binary, in the order in which they are published; `samples/README.md` tells what each shows.

macro_rules! sample {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../../../samples/", $name)))
    };
}

pub(super) const SAMPLES: [(&str, &[u8]); 14] = [
    sample!("01-harbour-tunnel.json"),
    sample!("02-coal-station.json"),
    sample!("03-orchestra.json"),
    sample!("04-dengue-trial.json"),
    sample!("05-transit-strike.json"),
    sample!("06-storm.txt"),
    sample!("07-harbour-tunnel-update.json"),
    sample!("08-takeover.json"),
    sample!("09-cut-off.json"),
    sample!("10-takeover-kill.json"),
    sample!("11-hochwasser.json"),
    sample!("12-cup-final.json"),
    sample!("13-envoy.json"),
    sample!("14-briefs.jsonl"),
];
