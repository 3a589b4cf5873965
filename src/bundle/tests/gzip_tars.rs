//! What only a `.tar.gz` can be or hold.

use super::archives::{Item, RELEASE, Tar, gzipped, header, tar};
use super::*;

fn release() -> Tar {
    tar(&[Item::file("release.toml", RELEASE)])
}

fn tar_refused(bytes: &[u8]) -> String {
    let sentence = refused("a.tgz", &gzipped(bytes));
    sentence.strip_prefix("a.tgz ").unwrap().to_owned()
}

fn of_kind(kind: u8) -> Vec<u8> {
    release()
        .entry(kind, b"x", b"release.toml", 0o644, b"")
        .bytes()
}

#[test]
fn what_is_neither_file_nor_folder_nor_link_is_refused() {
    let hard = "has x in it: a bundle may not have hard links";
    let device = "has x in it: a bundle may not have devices, pipes or sockets";
    let sparse = "has x in it: a bundle may not have sparse files";
    let unknown = "has x in it: it is neither a file nor a folder nor a link";
    for (kind, sentence) in [
        (b'1', hard),
        (b'3', device),
        (b'4', device),
        (b'6', device),
        (b'S', sparse),
        (b'7', unknown),
        (b'V', unknown),
        (b'M', unknown),
        (b'D', unknown),
        // A second header for all entries.
        (b'g', unknown),
    ] {
        assert_eq!(
            tar_refused(&of_kind(kind)),
            sentence,
            "{}",
            char::from(kind)
        );
    }
    opened("a.tgz", &gzipped(&of_kind(0)));
}

#[test]
fn paths_of_extensions_are_judged_as_others_are() {
    let out = "has ../x in it: a path may not lead out of the bundle";
    let record = release()
        .pax(b"13 path=../x\n")
        .entry(b'0', b"x", b"", 0o644, b"");
    assert_eq!(tar_refused(&record.bytes()), out);
    let long = header(b'L', b"", b"", 0, 5);
    let long = release()
        .add(&long, b"../x\0")
        .entry(b'0', b"x", b"", 0o644, b"");
    assert_eq!(tar_refused(&long.bytes()), out);

    let link = "has x in it: a link may not lead out of the bundle";
    let record = release()
        .pax(b"17 linkpath=../x\n")
        .entry(b'2', b"x", b"a", 0o644, b"");
    assert_eq!(tar_refused(&record.bytes()), link);
    let long = header(b'K', b"", b"", 0, 5);
    let long = release()
        .add(&long, b"../x\0")
        .entry(b'2', b"x", b"a", 0o644, b"");
    assert_eq!(tar_refused(&long.bytes()), link);

    // In ustar the path is in two fields.
    let mut header = tar::Header::new_ustar();
    header.as_ustar_mut().unwrap().prefix[..2].copy_from_slice(b"..");
    header.as_old_mut().name[0] = b'x';
    header.set_mode(0o644);
    header.set_size(0);
    header.set_cksum();
    assert_eq!(tar_refused(&release().add(&header, b"").bytes()), out);
}

#[test]
fn a_thing_that_is_said_in_two_ways_is_refused() {
    let twice = "its headers disagree about its name or size";
    let long = header(b'L', b"", b"", 0, 1);
    let both = release().add(&long, b"a").pax(b"9 path=b\n");
    let both = both.entry(b'0', b"c", b"", 0o644, b"");
    assert_eq!(tar_refused(&both.bytes()), format!("has b in it: {twice}"));
    let size = release()
        .pax(b"11 size=16\n")
        .entry(b'0', b"x", b"", 0o644, b"12345");
    assert_eq!(tar_refused(&size.bytes()), format!("has x in it: {twice}"));
    let same = release()
        .pax(b"10 size=5\n")
        .entry(b'0', b"x", b"", 0o644, b"12345");
    opened("a.tgz", &gzipped(&same.bytes()));
    let sparse = release()
        .pax(b"22 GNU.sparse.major=1\n")
        .entry(b'0', b"x", b"", 0o644, b"");
    let sentence = "has an entry in it: a bundle may not have sparse files";
    assert_eq!(tar_refused(&sparse.bytes()), sentence);
    let folder = release().entry(b'5', b"x/", b"", 0o755, b"contents");
    let sentence = "has x/ in it: a folder or a link has no contents";
    assert_eq!(tar_refused(&folder.bytes()), sentence);
}

#[test]
fn a_header_for_all_entries_may_have_a_comment_alone() {
    let with = |records: &[u8]| {
        let all = header(b'g', b"pax_global_header", b"", 0o644, records.len());
        let bytes = Tar::default().add(&all, records).bytes();
        [&bytes[..bytes.len() - 1024], &release().bytes()].concat()
    };
    opened("a.tgz", &gzipped(&with(b"13 comment=1\n")));
    let sentence = "cannot be read: it has a header for all entries with fields that are only allowed for one entry";
    for records in [&b"9 path=x\n"[..], b"13 linkpath=x\n", b"10 size=0\n", b"x"] {
        assert_eq!(tar_refused(&with(records)), sentence);
    }
}

#[test]
fn a_damaged_header_is_refused() {
    let damaged = "cannot be read: a header of its tar is damaged";
    let mut bytes = release().bytes();
    bytes[0] ^= 1;
    assert_eq!(tar_refused(&bytes), damaged);
    let mut size = header(b'0', b"x", b"", 0o644, 0);
    size.as_old_mut().size = *b"9999999999x\0";
    size.set_cksum();
    assert_eq!(tar_refused(&release().add(&size, b"").bytes()), damaged);
    // An extension without an entry.
    assert_eq!(tar_refused(&release().pax(b"9 path=x\n").bytes()), damaged);
    let mut mode = header(b'0', b"x", b"", 0o644, 0);
    mode.as_old_mut().mode = *b"rwxrwxr\0";
    mode.set_cksum();
    let sentence = "has x in it: its header is damaged";
    assert_eq!(tar_refused(&release().add(&mode, b"").bytes()), sentence);
}

#[test]
fn a_tar_that_ends_too_early_is_refused() {
    let early = "cannot be read: it ends too early";
    let whole = tar(&[Item::file("release.toml", RELEASE), Item::file("a", "x")]).bytes();
    // In the middle, between two entries, before its end and within it.
    for length in [0, 100, 512, 700, 1024, 1536, 2048, 2560] {
        assert_eq!(tar_refused(&whole[..length]), early, "{length}");
    }
    let packed = gzipped(&whole);
    for length in 0..packed.len() {
        let sentence = refused("a.tgz", &packed[..length]);
        let sentence = sentence.strip_prefix("a.tgz cannot be read: ").unwrap();
        let known = ["it ends too early", "its compressed data are damaged"];
        assert!(known.contains(&sentence), "{length}: {sentence}");
    }
}

#[test]
fn nothing_may_come_after_the_end() {
    let after = "cannot be read: something comes after its end";
    let whole = release().bytes();
    let padded = [&whole[..], &[0; 10_240]].concat();
    opened("a.tgz", &gzipped(&padded));
    assert_eq!(tar_refused(&[&padded[..], b"x"].concat()), after);
    assert_eq!(tar_refused(&[&whole[..], &whole].concat()), after);
    // Another gzip stream, or anything else.
    for more in [&gzipped(&whole)[..], &gzipped(b""), b"x", b"\0"] {
        let sentence = refused("a.tgz", &[&gzipped(&whole)[..], more].concat());
        assert_eq!(sentence, format!("a.tgz {after}"));
    }
}

#[test]
fn damaged_data_are_refused() {
    let packed = gzipped(&release().bytes());
    let damaged = "a.tgz cannot be read: its compressed data are damaged";
    let mut sum = packed.clone();
    let at = sum.len() - 8;
    sum[at] ^= 1;
    assert_eq!(refused("a.tgz", &sum), damaged);
    assert_eq!(refused("a.tgz", b"PK\x03\x04 and more"), damaged);
    assert_eq!(refused("a.tgz", &release().bytes()), damaged);
}

#[test]
fn what_other_writers_make_is_read() {
    let mut writer = tar::Builder::new(Vec::new());
    let long = format!("{}/{}", "a".repeat(90), "b".repeat(90));
    let pax = format!("{}/ä", "c".repeat(200));
    for (name, contents) in [("release.toml", RELEASE), (&long, "long")] {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o600);
        header.set_size(contents.len() as u64);
        writer
            .append_data(&mut header, name, contents.as_bytes())
            .unwrap();
    }
    let records = [("path", pax.as_bytes()), ("mtime", b"1.5")];
    writer.append_pax_extensions(records).unwrap();
    writer
        .append(&header(b'0', b"cut", b"", 0o755, 3), &b"pax"[..])
        .unwrap();
    let mut link = tar::Header::new_gnu();
    link.set_entry_type(tar::EntryType::Symlink);
    link.set_size(0);
    writer.append_link(&mut link, "link", &long).unwrap();

    let folder = opened("a.tar.gz", &gzipped(&writer.into_inner().unwrap()));
    let text = |name: &str| fs::read_to_string(folder.path().join("into").join(name)).unwrap();
    assert_eq!(
        [text(&long), text(&pax), text("link")],
        ["long", "pax", "long"]
    );
}
