//! Reports of `tenure`, opened in a real Chromium: what is drawn, what a mouse and keys do, how dark mode and
//! paper look, and that nothing is asked of any network. `REPORT_SHOTS=FOLDER` keeps pictures of it all.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "a browser is waited for")]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use std::{env, fs};

use headless_chrome::browser::tab::point::Point;
use headless_chrome::protocol::cdp::Emulation::{
    MediaFeature, SetDeviceMetricsOverride, SetEmulatedMedia,
};
use headless_chrome::protocol::cdp::Input::{
    DispatchMouseEvent, DispatchMouseEventTypeOption, MouseButton,
};
use headless_chrome::protocol::cdp::Page::CaptureScreenshotFormatOption;
use headless_chrome::protocol::cdp::types::Event;
use headless_chrome::protocol::cdp::{Log, Network, Runtime};
use headless_chrome::types::PrintToPdfOptions;
use headless_chrome::{Browser, LaunchOptions, Tab};
use serde_json::Value;

/// A folder of its own for each test, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("tenure-report-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The command, as the workspace has it: `TENURE` names it, else it is built.
fn command() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        if let Some(named) = env::var_os("TENURE") {
            return named.into();
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        // Where this test was built, if somebody said where to build.
        let here = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let named = env::var_os("CARGO_TARGET_DIR").is_some();
        let target = if named { here.to_owned() } else { root.join("target") };
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--package", "tenure-sim", "--locked", "--manifest-path"]);
        build.arg(root.join("Cargo.toml")).arg("--target-dir").arg(&target);
        assert!(build.status().unwrap().success(), "the command does not build");
        target.join("debug/tenure")
    })
}

/// Makes a report by the command, whatever its verdict.
fn made(arguments: &str, report: &Path) {
    let mut command = Command::new(command());
    command.args(arguments.split(' ')).arg("--report").arg(report);
    let output = command.output().unwrap();
    assert!(output.status.code().is_some_and(|code| code != 2), "{output:?}");
}

/// A report in a browser, and what went wrong in it.
struct Page {
    tab: Arc<Tab>,
    complaints: Arc<Mutex<Vec<String>>>,
    _browser: Browser,
    _profile: Folder,
}

impl Page {
    fn open(name: &str, report: &Path, size: (u32, u32)) -> Self {
        let profile = Folder::new(&format!("profile-{name}"));
        let flags = [
            "--disable-gpu",
            "--disable-quic",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
        ];
        let options = LaunchOptions::default_builder()
            .sandbox(false)
            .window_size(Some(size))
            .user_data_dir(Some(profile.0.clone()))
            .args(flags.map(OsStr::new).to_vec())
            .idle_browser_timeout(Duration::from_mins(2))
            .build()
            .unwrap();
        let browser = Browser::new(options).expect("Chromium is installed");
        let tab = browser.new_tab().unwrap();
        let complaints = Arc::new(Mutex::new(Vec::new()));
        watch(&tab, &complaints);
        let [width, height] = [size.0, size.1];
        let metrics = SetDeviceMetricsOverride {
            width,
            height,
            device_scale_factor: 1.0,
            mobile: false,
            scale: None,
            screen_width: None,
            screen_height: None,
            position_x: None,
            position_y: None,
            dont_set_visible_size: None,
            screen_orientation: None,
            viewport: None,
            display_feature: None,
            device_posture: None,
        };
        tab.call_method(metrics).unwrap();
        tab.navigate_to(&format!("file://{}", report.display())).unwrap();
        tab.wait_until_navigated().unwrap();
        let page = Self { tab, complaints, _browser: browser, _profile: profile };
        page.wait("document.documentElement.dataset.drawn !== undefined");
        page
    }

    fn ask(&self, what: &str) -> Value {
        self.tab.evaluate(what, false).unwrap().value.unwrap_or_default()
    }

    fn number(&self, what: &str) -> f64 {
        self.ask(what).as_f64().unwrap_or_else(|| panic!("no number: {what}"))
    }

    fn text(&self, what: &str) -> String {
        self.ask(what).as_str().unwrap_or_else(|| panic!("no text: {what}")).to_owned()
    }

    /// Until this holds.
    fn wait(&self, what: &str) {
        for _ in 0..200 {
            if self.ask(what) == Value::Bool(true) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("never true: {what}");
    }

    /// What is seen of the axis.
    fn seen(&self) -> (f64, f64) {
        (self.number("view.from"), self.number("view.to"))
    }

    fn press(&self, key: &str) {
        self.tab.press_key(key).unwrap();
    }

    /// Where a place on the axis is in a lane: that of `share` of its height from the top.
    fn point(&self, at: &str, lane: usize, share: f64) -> Point {
        let row = format!("room.rows.find(row => row.kind === 'lane' && row.place === {lane})");
        let box_ = "picture.getBoundingClientRect()";
        let x = self.number(&format!("{box_}.left + picture.clientLeft + x({at})"));
        let y = self
            .number(&format!("{box_}.top + picture.clientTop + {row}.y + {row}.height * {share}"));
        Point { x, y }
    }

    /// What a mouse does, its left button held but when it turns its wheel.
    fn mouse(&self, what: DispatchMouseEventTypeOption, at: Point, delta_y: Option<f64>) {
        let held = delta_y.is_none();
        let event = DispatchMouseEvent {
            Type: what,
            x: at.x,
            y: at.y,
            modifiers: None,
            timestamp: None,
            button: held.then_some(MouseButton::Left),
            buttons: held.then_some(1),
            click_count: held.then_some(1),
            force: None,
            tangential_pressure: None,
            tilt_x: None,
            tilt_y: None,
            twist: None,
            delta_x: delta_y.map(|_| 0.0),
            delta_y,
            pointer_Type: None,
        };
        self.tab.call_method(event).unwrap();
    }

    fn media(&self, media: &str, scheme: &str) {
        let feature = |name: &str, value: &str| MediaFeature {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        let features = Some(vec![feature("prefers-color-scheme", scheme)]);
        self.tab.call_method(SetEmulatedMedia { media: Some(media.to_owned()), features }).unwrap();
    }

    /// Keeps a picture, if somebody wants them.
    fn shot(&self, name: &str) {
        let Some(folder) = env::var_os("REPORT_SHOTS") else { return };
        fs::create_dir_all(&folder).unwrap();
        std::thread::sleep(Duration::from_millis(150));
        let png = CaptureScreenshotFormatOption::Png;
        let shot = self.tab.capture_screenshot(png, None, None, true).unwrap();
        fs::write(Path::new(&folder).join(format!("{name}.png")), shot).unwrap();
    }

    /// On how many pages it is printed.
    fn printed(&self, name: &str) -> usize {
        let options = PrintToPdfOptions {
            prefer_css_page_size: Some(true),
            print_background: Some(true),
            ..PrintToPdfOptions::default()
        };
        let pdf = self.tab.print_to_pdf(Some(options)).unwrap();
        assert!(pdf.starts_with(b"%PDF-") && pdf.len() > 10_000);
        if let Some(folder) = env::var_os("REPORT_SHOTS") {
            fs::write(Path::new(&folder).join(format!("{name}.pdf")), &pdf).unwrap();
        }
        pdf.windows(12).filter(|it| *it == b"/Type /Page\n").count()
    }

    /// Nothing was said on the console, and nothing asked of a network.
    fn is_content(&self) {
        let complaints = self.complaints.lock().unwrap();
        assert!(complaints.is_empty(), "{complaints:?}");
        let loaded =
            self.text("performance.getEntriesByType('resource').map(it => it.name).join()");
        assert_eq!(loaded, "");
    }
}

/// Notes what a page says on the console, and what it asks for besides itself.
fn watch(tab: &Tab, complaints: &Arc<Mutex<Vec<String>>>) {
    let complaints = Arc::clone(complaints);
    let listener = move |event: &Event| {
        let complaint = match event {
            Event::LogEntryAdded(it) => it.params.entry.text.clone(),
            Event::RuntimeExceptionThrown(it) => format!("{:?}", it.params.exception_details),
            Event::RuntimeConsoleAPICalled(it) => format!("{:?}", it.params.args),
            Event::NetworkRequestWillBeSent(it) => {
                let url = it.params.request.url.clone();
                if url.starts_with("file://") {
                    return;
                }
                url
            }
            _ => return,
        };
        complaints.lock().unwrap().push(complaint);
    };
    tab.add_event_listener(Arc::new(listener)).unwrap();
    tab.call_method(Log::Enable(None)).unwrap();
    tab.call_method(Runtime::Enable(None)).unwrap();
    let network = Network::Enable {
        max_total_buffer_size: None,
        max_resource_buffer_size: None,
        max_post_data_size: None,
        report_direct_socket_traffic: None,
        enable_durable_messages: None,
    };
    tab.call_method(network).unwrap();
}

/// Two leaders under client-go: 240 s, a violation at 78.234 s.
const PAUSE: &str = "run pause --profile client-go-head --seed 1";

#[test]
fn zooming_and_moving() {
    let folder = Folder::new("zoom");
    let report = folder.file("pause.html");
    made(PAUSE, &report);
    let page = Page::open("zoom", &report, (1280, 800));
    page.shot("pause-light");
    assert_eq!(page.seen(), (0.0, 240e6));
    assert!(
        page.text("document.title")
            .contains("pause, client-go-head, seed 1: violated, as expected")
    );

    // The wheel zooms where it points.
    let at = page.point("78.234e6", 0, 0.4);
    page.mouse(DispatchMouseEventTypeOption::MouseWheel, at, Some(-400.0));
    page.wait("view.to - view.from < 200e6");
    let there = page.point("78.234e6", 0, 0.4);
    assert!((there.x - at.x).abs() < 2.0, "{} {}", there.x, at.x);

    // Dragging moves.
    let (from, to) = page.seen();
    let beside = Point { x: at.x - 100.0, y: at.y };
    page.mouse(DispatchMouseEventTypeOption::MousePressed, at, None);
    page.mouse(DispatchMouseEventTypeOption::MouseMoved, beside, None);
    page.mouse(DispatchMouseEventTypeOption::MouseReleased, beside, None);
    // To the pixel.
    page.wait(&format!("Math.abs((view.from - {from}) / {} * inner() - 100) < 1", to - from));
    page.press("0");
    page.wait("view.from === 0 && view.to === 240e6");

    // Keys.
    page.press("+");
    page.wait("view.to - view.from === 120e6");
    let (from, _) = page.seen();
    page.press("ArrowRight");
    page.wait(&format!("Math.abs(view.from - {from} - 12e6) < 1"));
    page.press("ArrowLeft");
    page.wait(&format!("Math.abs(view.from - {from}) < 1"));
    page.press("-");
    page.wait("view.to - view.from === 240e6");

    // Buttons do what keys do.
    page.tab.find_element("#tools [data-key='+']").unwrap().click().unwrap();
    page.wait("view.to - view.from === 120e6");
    page.is_content();
}

#[test]
fn violations_and_hand_overs_are_jumped_to() {
    let folder = Folder::new("jump");
    let report = folder.file("pause.html");
    made(PAUSE, &report);
    let page = Page::open("jump", &report, (1280, 800));
    // The first leader, then the violation, at the instant at which the second begins to lead.
    page.press("n");
    page.wait("Math.abs(view.cursor - 42015) < 1");
    page.press("n");
    page.wait("view.cursor === 78234017");
    let tip = page.text("document.getElementById('tip').textContent");
    assert!(tip.contains("one-leader/authority: two leaders: replica-0 may act until"), "{tip}");
    assert!(page.text("document.getElementById('said').textContent").contains("two leaders"));
    page.shot("pause-jumped");
    page.press("n");
    page.wait("view.cursor === 78234017 && view.stop.violation === undefined");
    page.press("p");
    page.wait("view.stop.violation.number === 1");
    // So does a click on its sentence.
    page.press("0");
    page.tab.find_element("#found button:nth-of-type(2)").unwrap().click().unwrap();
    page.wait("view.cursor === 90689717");
    page.press("?");
    page.wait("document.getElementById('help').open");
    page.shot("pause-help");
    page.is_content();
}

#[test]
fn requests_are_told_where_the_mouse_and_the_keys_are() {
    let folder = Folder::new("hover");
    let report = folder.file("pause.html");
    made(PAUSE, &report);
    let page = Page::open("hover", &report, (1280, 800));
    // Replica 0 renews for the last time: sent at 60.654 s, answered at 60.681 s with version 32.
    page.ask("look(60.5e6, 0.4e6)");
    page.wait("view.to === 60.9e6");
    std::thread::sleep(Duration::from_millis(100));
    let at = page.point("60.665e6", 0, 0.85);
    page.tab.move_mouse_to_point(at).unwrap();
    page.wait("!document.getElementById('tip').hidden");
    let tip =
        page.text("[...document.querySelectorAll('#tip p')].map(it => it.textContent).join('\\n')");
    assert!(tip.starts_with("replica-0, 60.66"), "{tip}");
    assert!(tip.contains("update: sent at 60.65"), "{tip}");
    assert!(tip.contains("replica-0 holds (version 32)"), "{tip}");
    page.shot("pause-hover");

    // The same by keys, in the lane of the one that waits.
    page.press("0");
    page.tab.find_element("#picture").unwrap().focus().unwrap();
    // The lock comes first.
    for _ in 0..3 {
        page.press("ArrowDown");
    }
    page.wait("view.lane === 1");
    page.press(".");
    page.wait("document.getElementById('said').textContent.includes(': sent at')");
    assert!(page.text("getComputedStyle(picture).outlineStyle") != "none");
    page.is_content();
}

#[test]
fn dark_mode_and_paper() {
    let folder = Folder::new("media");
    let report = folder.file("pause.html");
    made(PAUSE, &report);
    let page = Page::open("media", &report, (1280, 800));
    let paper = "getComputedStyle(document.body).backgroundColor";
    // Of the canvas, beside the lanes.
    let drawn = "drawnAt(3, 100)";
    page.ask(
        "window.drawnAt = (x, y) => {
            const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
            pen.drawImage(picture, -x, -y);
            return [...pen.getImageData(0, 0, 1, 1).data].join();
        }",
    );
    assert_eq!(
        (page.text(paper), page.text(drawn)),
        ("rgb(255, 255, 255)".into(), "255,255,255,255".into())
    );
    page.media("", "dark");
    page.wait(&format!("{paper} === 'rgb(22, 24, 27)' && {drawn} === '22,24,27,255'"));
    page.shot("pause-dark");

    // On paper it is all of it, black on white, whatever the screen shows.
    page.ask("look(60e6, 30e6)");
    page.ask("window.printed = null; addEventListener('beforeprint', () => { printed = `${view.to},${drawnAt(3, 100)}` })");
    assert_eq!(page.printed("pause"), 1);
    assert_eq!(page.text("printed"), "240000000,255,255,255,255");
    page.wait("view.to === 90e6");
    page.is_content();
}

#[test]
fn slots_sweeps_and_recordings() {
    let folder = Folder::new("others");
    for (name, arguments, wanted) in [
        ("crash", "run sharding/crash --seed 1", "Slots at 180.000 s"),
        (
            "two-owners",
            "run sharding/late-exclusion --without exclusion-newer --seed 1",
            "two owners",
        ),
        ("random", "run random --seed 7", "its network fails"),
        ("herd", "run thundering-herd --seed 1", "believes to lead"),
        ("sweep", "sweep random --profile client-go-head --seeds 0..300", "violated as expected"),
    ] {
        let report = folder.file(&format!("{name}.html"));
        made(arguments, &report);
        let page = Page::open(name, &report, (1280, 800));
        let text = page.text("document.body.innerText");
        assert!(text.contains(wanted), "{name}: {text}");
        page.shot(name);
        page.media("", "dark");
        page.shot(&format!("{name}-dark"));
        assert_eq!(page.printed(name), 1, "{name}: pages");
        page.is_content();
    }
    let trace = folder.file("pause.jsonl");
    let mut run = Command::new(command());
    let run = run.args(PAUSE.split(' ')).arg("--trace").arg(&trace).output().unwrap();
    assert!(run.status.success());
    let report = folder.file("check.html");
    made(&format!("check {}", trace.display()), &report);
    let page = Page::open("check", &report, (800, 600));
    assert!(page.text("document.body.textContent").contains("Lease seed-1/lock"));
    page.shot("check-narrow");
    page.is_content();
}

/// A replica with a name that would run if anything took it for more than a name.
#[test]
fn names_do_nothing() {
    let folder = Folder::new("names");
    let (scenario, report) = (folder.file("evil.json"), folder.file("evil.html"));
    let evil = "</script><img src=x onerror=alert(1)>";
    let text = serde_json::json!({
        "name": "evil", "description": evil, "horizon": "2m", "replicas": [{ "identity": evil }, {}],
    });
    fs::write(&scenario, text.to_string()).unwrap();
    made(&format!("run --scenario {}", scenario.display()), &report);
    let page = Page::open("names", &report, (800, 600));
    assert_eq!(page.text("lanes[0].name"), evil);
    assert!(page.text("document.getElementById('about').textContent").contains(evil));
    assert_eq!(page.ask("document.images.length"), 0);
    page.shot("narrow");
    page.is_content();
}

/// How long it takes to open depends on the machine: it is told, and only what nobody would wait for fails.
#[test]
fn many_events_open_soon() {
    let folder = Folder::new("many");
    let (scenario, report) = (folder.file("many.json"), folder.file("many.html"));
    fs::write(&scenario, r#"{"name": "many", "horizon": "14h", "replicas": [{}, {}, {}]}"#)
        .unwrap();
    made(&format!("run --scenario {} --seed 1", scenario.display()), &report);
    let page = Page::open("many", &report, (1280, 800));
    let drawn: f64 = page.text("document.documentElement.dataset.drawn").parse().unwrap();
    let events =
        page.number("lanes.reduce((sum, lane) => sum + lane.calls.length + lane.marks.length, 0)");
    let bytes = fs::metadata(&report).unwrap().len();
    let again = page.number(
        "(() => { const now = performance.now(); draw(); return performance.now() - now; })()",
    );
    println!(
        "{events} events in {bytes} bytes: drawn {drawn} ms after opening, drawn again in {again:.1} ms"
    );
    assert!(events >= 100_000.0, "{events}");
    assert!(drawn < 5_000.0 && again < 1_000.0, "{drawn} {again}");
    page.shot("many");
    page.is_content();
}
