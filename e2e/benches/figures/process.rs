//! What Linux knows of a process: the processor time it has used and the most memory it has held (proc(5): `/proc/pid/stat`, `/proc/pid/status`).
use std::time::Duration;

/// Linux counts processor time for programs in hundredths of a second, whatever its own clock (time(7), `USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// Time in the program and time the kernel worked for it, all threads together.
pub fn processor_time(id: u32) -> Duration {
    let text = read(id, "stat");
    // the second field is the name in parentheses and may hold anything; fields 14 and 15 are utime and stime
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| -> u32 { fields.get(at - 3).and_then(|field| field.parse().ok()).expect("the field is a number of ticks") };
    TICK * (ticks(14) + ticks(15))
}

/// The most resident memory since the process began, in bytes.
pub fn peak_memory_bytes(id: u32) -> u64 {
    status_bytes(id, "VmHWM:")
}

/// Resident memory now, in bytes.
pub fn memory_bytes(id: u32) -> u64 {
    status_bytes(id, "VmRSS:")
}

fn status_bytes(id: u32, field: &str) -> u64 {
    let text = read(id, "status");
    let line = text.lines().find_map(|line| line.strip_prefix(field)).expect("a running process has a size");
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().expect("the size is a number of kilobytes");
    kilobytes * 1_024
}

fn read(id: u32, file: &str) -> String {
    std::fs::read_to_string(format!("/proc/{id}/{file}")).unwrap_or_else(|error| panic!("process {id} cannot be measured: {error}"))
}
