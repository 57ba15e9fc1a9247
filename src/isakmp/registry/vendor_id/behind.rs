//! Versions that stand behind the fixed octets of a vendor id. Each reads what follows the pattern and answers `None`
//! where that is not what is known to stand there.

/// Two octets: major, minor (RFC 3706 §5.1).
pub(super) fn major_minor(behind: &[u8]) -> Option<String> {
    match behind {
        [major, minor] => Some(format!("{major}.{minor}")),
        _ => None,
    }
}

/// Two octets: `03 05` is 3.0.5.
pub(super) fn altiga(behind: &[u8]) -> Option<String> {
    match behind {
        [major, last @ 0..=9] => Some(format!("{major}.0.{last}")),
        _ => None,
    }
}

/// Two octets of release, two of build; all zero when the box hides them.
pub(super) fn fortigate(behind: &[u8]) -> Option<String> {
    let [release, build] = words(behind)?;
    ((release, build) != (0, 0)).then(|| format!("release {release} build {build}"))
}

/// Four octets of product, then four of version. Words that have a name are rows of their own.
pub(super) fn checkpoint(behind: &[u8]) -> Option<String> {
    let [_, _, high, low] = words(behind.first_chunk::<8>()?)?;
    let version = u32::from(high) << 16 | u32::from(low);
    (version != 0).then(|| format!("version word {version}"))
}

/// Four octets that count releases. Those that have a name are rows of their own.
pub(super) fn windows(behind: &[u8]) -> Option<String> {
    let [high, low] = words(behind)?;
    Some(format!("version {}", u32::from(high) << 16 | u32::from(low)))
}

/// Text, after a hyphen or at once: `-7.2` is 7.2.
pub(super) fn text(behind: &[u8]) -> Option<String> {
    let behind = behind.strip_prefix(b"-").unwrap_or(behind);
    let printable = (1..=64).contains(&behind.len()) && behind.iter().all(u8::is_ascii_graphic);
    printable.then(|| String::from_utf8_lossy(behind).into_owned())
}

/// Exactly `N` numbers of two octets.
fn words<const N: usize>(octets: &[u8]) -> Option<[u16; N]> {
    if octets.len() != 2 * N {
        return None;
    }
    let mut words = [0; N];
    for (word, pair) in words.iter_mut().zip(octets.chunks_exact(2)) {
        *word = u16::from_be_bytes(pair.try_into().ok()?);
    }
    Some(words)
}
