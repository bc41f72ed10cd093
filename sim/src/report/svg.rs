//! A report as a still picture, for papers: vectors and text, telling in grey as well.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::model::{Axis, COLOURS, Kind, Lane, Paint, Report, Sign, Span};

const WIDTH: i32 = 1200;
/// For the names of lanes, and right of the picture.
const LEFT: i32 = 150;
const RIGHT_MARGIN: i32 = 20;
const HEAD: i32 = 66;
const FAULT: i32 = 18;
const LANE: i32 = 40;
const GRID: i32 = 192;
const LINE: i32 = 17;
/// Of more lanes than this those that never lead are left out.
const LANES: usize = 40;
/// So many letters of the usual size fit into a line, and so many violations are told below the picture.
const LETTERS: usize = 180;
const TOLD: usize = 3;

/// Of Okabe and Ito, without the one that is close to red; neighbours differ in lightness as well.
const PALETTE: [RGBColor; COLOURS] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(136, 34, 85),
    RGBColor(120, 120, 60),
];
const BAD: RGBColor = RGBColor(200, 16, 46);
const GREY: RGBColor = RGBColor(110, 110, 110);
const PALE: RGBColor = RGBColor(205, 205, 205);

type Drawn = Result<(), Box<dyn core::error::Error>>;

/// Where things go.
struct Page<'a, 'b> {
    area: DrawingArea<SVGBackend<'b>, Shift>,
    report: &'a Report,
    /// Those that are drawn.
    lanes: Vec<&'a Lane>,
    /// The greatest value of what leads.
    most: u32,
}

impl Report {
    /// Lanes, faults, violations and slots as SVG. The same report gives the same bytes.
    #[must_use]
    pub fn svg(&self) -> String {
        let many = self.lanes.len() > LANES;
        let waits = |lane: &&Lane| {
            lane.colour.is_some() && lane.spans.iter().all(|span| span.kind != Kind::Leads)
        };
        let lanes: Vec<&Lane> = self.lanes.iter().filter(|lane| !many || !waits(lane)).collect();
        let high = lanes.iter().map(|lane| 1 + usize::from(lane.group.is_some())).sum();
        let told = self.violations.len().min(TOLD) + usize::from(self.violations.len() > TOLD);
        let rows = self.faults.iter().map(|fault| fault.row + 1).max().unwrap_or(0);
        let grid = if self.grid.is_some() { GRID + 2 * LINE } else { 0 };
        let flags = if told > 0 { FAULT } else { 0 };
        let top = HEAD + FAULT * i32::try_from(rows).unwrap_or(0) + flags;
        let body = top + LANE * pixels(high) + grid;
        let height = body + 3 * LINE + LINE * pixels(told) * 2 + 24;
        let mut svg = String::new();
        {
            let size = (WIDTH.unsigned_abs(), height.unsigned_abs());
            let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            let spans = self.lanes.iter().flat_map(|lane| &lane.spans);
            let leads = spans.filter(|span| span.kind == Kind::Leads).map(|span| span.value);
            let most = leads.max().unwrap_or(1).max(1);
            let page = Page { area, report: self, lanes, most };
            // Nothing is written but to a text in memory.
            if page.draw(top, body).is_err() {
                return "<svg xmlns=\"http://www.w3.org/2000/svg\"/>\n".to_owned();
            }
        }
        svg
    }
}

/// What XML may not contain, not even escaped: one name with such a letter, and nobody draws the picture.
fn no_xml(letter: char) -> bool {
    matches!(letter, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

fn pixels(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX / 1_000)
}

fn colour(place: u32) -> RGBColor {
    PALETTE.get(place as usize % COLOURS).copied().unwrap_or(GREY)
}

impl Page<'_, '_> {
    fn draw(&self, top: i32, body: i32) -> Drawn {
        self.area.fill(&WHITE)?;
        let head = &self.report.head;
        self.text((20, 22), 16, &head.title, HPos::Left, BLACK)?;
        let about: Vec<&str> = head.about.iter().map(String::as_str).collect();
        let line: Vec<&str> =
            [&*head.verdict].into_iter().chain(about).filter(|it| !it.is_empty()).collect();
        let ink = if head.tone == super::Tone::Bad { BAD } else { BLACK };
        self.text((20, 46), 11, &cut(&line.join(" · "), LETTERS * 5 / 4), HPos::Left, ink)?;
        // How long violations last, behind all; what several cover once.
        let mut last = 0;
        for violation in &self.report.violations {
            let (from, to) = (self.x(violation.at).max(last), self.x(violation.to));
            if to > from {
                self.rectangle((from, top), (to, body), BAD.mix(0.15).filled())?;
                last = to;
            }
        }
        self.axis(top, body)?;
        self.faults()?;
        let mut y = top;
        for lane in &self.lanes {
            if let Some(group) = lane.group {
                let name = self.report.texts.get(group);
                self.text((20, y + LANE - 12), 14, name, HPos::Left, BLACK)?;
                y += LANE;
            }
            self.lane(lane, y)?;
            y += LANE;
        }
        self.grid(y)?;
        self.violations(top, body)?;
        self.legend(body + 2 * LINE + 6)?;
        self.area.present()?;
        Ok(())
    }

    /// Where a place on the axis is.
    fn x(&self, at: u64) -> i32 {
        let Report { from, to, .. } = *self.report;
        let width = i128::from(WIDTH - LEFT - RIGHT_MARGIN);
        let along = i128::from(at.clamp(from, to) - from) * width / i128::from((to - from).max(1));
        LEFT + i32::try_from(along).unwrap_or(0)
    }

    fn text(&self, at: (i32, i32), size: i32, text: &str, anchor: HPos, ink: RGBColor) -> Drawn {
        // Sizes are in points.
        let style = ("sans-serif", size * 4 / 3)
            .into_font()
            .color(&ink)
            .pos(Pos::new(anchor, VPos::Center));
        Ok(self.area.draw(&Text::new(text.replace(no_xml, "\u{fffd}"), at, style))?)
    }

    fn rectangle(&self, from: (i32, i32), to: (i32, i32), style: impl Into<ShapeStyle>) -> Drawn {
        Ok(self.area.draw(&Rectangle::new([from, to], style))?)
    }

    fn line(&self, from: (i32, i32), to: (i32, i32), style: impl Into<ShapeStyle>) -> Drawn {
        Ok(self.area.draw(&PathElement::new(vec![from, to], style))?)
    }

    /// Times below the picture, and a thin line for each through it.
    fn axis(&self, top: i32, body: i32) -> Drawn {
        let Report { from, to, axis, .. } = self.report;
        let step = step(to - from);
        let first = from.div_ceil(step) * step;
        for at in (0..).map(|nth| first + nth * step).take_while(|at| at <= to) {
            let x = self.x(at);
            self.line((x, top), (x, body), PALE.mix(0.6))?;
            let told = self.report.told(at);
            let told = match axis {
                Axis::Time => format!("{} s", decimal(at, step)),
                // The time of day alone.
                Axis::Wall(_) => told.get(11..19).unwrap_or(&told).to_owned(),
                Axis::Seed(_) => told,
            };
            self.text((x, body + 12), 12, &told, HPos::Center, BLACK)?;
        }
        self.line((LEFT, body), (WIDTH - RIGHT_MARGIN, body), BLACK)
    }

    fn faults(&self) -> Drawn {
        for fault in &self.report.faults {
            let (left, right) = (self.x(fault.from), self.x(fault.to).max(self.x(fault.from) + 2));
            let y = HEAD + FAULT * i32::try_from(fault.row).unwrap_or(0);
            self.rectangle((left, y + 2), (right, y + FAULT - 2), PALE.filled())?;
            self.rectangle((left, y + 2), (right, y + FAULT - 2), GREY)?;
            let text = self.report.texts.get(fault.text);
            // Beside it if there is no other there.
            let after =
                self.report.faults.iter().filter(|it| it.row == fault.row && it.from > fault.from);
            let room = after.map(|it| self.x(it.from)).min().unwrap_or(WIDTH - RIGHT_MARGIN);
            let long = pixels(text.chars().count()) * 6 + 8;
            if left + long <= right.max(room) {
                self.text((left + 4, y + FAULT / 2), 11, text, HPos::Left, BLACK)?;
            } else if room == WIDTH - RIGHT_MARGIN && left - long > LEFT {
                self.text((left - 4, y + FAULT / 2), 11, text, HPos::Right, BLACK)?;
            }
        }
        Ok(())
    }

    fn lane(&self, lane: &Lane, y: i32) -> Drawn {
        let middle = y + LANE / 2;
        let name = cut(self.report.texts.get(lane.name), 22);
        self.text((LEFT - 8, middle), 13, &name, HPos::Right, BLACK)?;
        let own = lane.colour.map_or(GREY, colour);
        let of_kind = |kind| lane.spans.iter().filter(move |span| span.kind == kind);
        for span in of_kind(Kind::Hit) {
            let (from, to) = self.ends(span);
            self.rectangle((from, y + 2), (to, y + LANE - 2), PALE.mix(0.7).filled())?;
        }
        for span in of_kind(Kind::Up) {
            let (from, to) = self.ends(span);
            self.rectangle((from, middle - 1), (to, middle + 1), GREY.filled())?;
        }
        for span in of_kind(Kind::Leads) {
            let (from, to) = self.ends(span);
            let half = self.half(span.value);
            self.rectangle((from, middle - half), (to, middle + half), own.filled())?;
        }
        for span in of_kind(Kind::Holds) {
            let (from, to) = self.ends(span);
            let holder =
                span.value.checked_sub(1).and_then(|lane| self.report.lanes.get(lane as usize));
            let ink = holder.and_then(|holder| holder.colour).map_or(GREY, colour);
            self.rectangle((from, middle - 9), (to, middle + 9), ink.mix(0.35).filled())?;
            self.rectangle((from, middle - 9), (to, middle + 9), ink)?;
            let text = self.report.texts.get(span.text);
            if pixels(text.chars().count()) * 7 + 8 <= to - from {
                self.text((from + 5, middle), 12, text, HPos::Left, BLACK)?;
            }
        }
        for span in of_kind(Kind::Acts) {
            let (from, to) = self.ends(span);
            self.rectangle((from, middle + 12), (to, middle + 14), BLACK.filled())?;
        }
        for span in of_kind(Kind::Paused) {
            self.hatch(self.ends(span), (middle - 12, middle + 12))?;
        }
        for span in of_kind(Kind::Clock) {
            let (from, to) = self.ends(span);
            let dots = (from..=to).step_by(4).map(|x| Pixel::new((x, y + 5), BLACK));
            dots.map(|dot| self.area.draw(&dot)).collect::<Result<Vec<_>, _>>()?;
            let text = self.report.texts.get(span.text);
            if pixels(text.chars().count()) * 6 < to - from {
                self.text((from + 2, y + 2), 10, text, HPos::Left, BLACK)?;
            }
        }
        for mark in lane.marks.iter().filter(|mark| mark.sign == Sign::Crashes) {
            let x = self.x(mark.at);
            let stroke = BLACK.stroke_width(2);
            self.line((x - 5, middle - 5), (x + 5, middle + 5), stroke)?;
            self.line((x - 5, middle + 5), (x + 5, middle - 5), stroke)?;
        }
        Ok(())
    }

    /// Half of how thick a bar is: the thickest is as thick as it can be.
    fn half(&self, value: u32) -> i32 {
        i32::try_from(value * 11 / self.most).unwrap_or(11).max(1)
    }

    /// From and to, at least a pixel apart.
    fn ends(&self, span: &Span) -> (i32, i32) {
        let from = self.x(span.from);
        (from, self.x(span.to).max(from + 1))
    }

    /// What stands still.
    fn hatch(&self, (left, right): (i32, i32), (top, bottom): (i32, i32)) -> Drawn {
        self.rectangle((left, top), (right, bottom), WHITE.mix(0.75).filled())?;
        self.rectangle((left, top), (right, bottom), GREY)?;
        let high = bottom - top;
        for x in (left - high..right).step_by(7) {
            let (from, to) = (x.max(left), (x + high).min(right));
            self.line((from, bottom - (from - x)), (to, bottom - (to - x)), GREY)?;
        }
        Ok(())
    }

    fn grid(&self, y: i32) -> Drawn {
        let Some(grid) = &self.report.grid else { return Ok(()) };
        self.text((LEFT, y + LINE), 13, &grid.title, HPos::Left, BLACK)?;
        let (y, rows) = (y + 2 * LINE - 4, pixels(grid.rows.len()).max(1));
        for (place, row) in (0..).zip(&grid.rows) {
            let (top, bottom) = (y + place * GRID / rows, y + (place + 1) * GRID / rows);
            let ends = row.runs.iter().skip(1).map(|run| run.0).chain([self.report.to]);
            for (run, end) in row.runs.iter().zip(ends) {
                let paint = grid.key.get(run.1 as usize).map(|key| key.paint);
                let ink = match paint {
                    Some(Paint::Bad) => BAD,
                    Some(Paint::Good) => PALE,
                    Some(Paint::Expected) => colour(1),
                    Some(Paint::Colour(place)) => colour(place),
                    Some(Paint::None) | None => continue,
                };
                let (from, to) = (self.x(run.0), self.x(end));
                if to > from || ink == BAD {
                    self.rectangle(
                        (from, top),
                        (to.max(from + 1), bottom.max(top + 1)),
                        ink.filled(),
                    )?;
                }
            }
        }
        self.rectangle((LEFT, y), (WIDTH - RIGHT_MARGIN, y + GRID), GREY)
    }

    /// A line through the picture for each, a number where there is room, the first of them told below.
    fn violations(&self, top: i32, body: i32) -> Drawn {
        let mut free = 0;
        for (nth, violation) in (1..).zip(&self.report.violations) {
            let x = self.x(violation.at);
            if x < free {
                continue;
            }
            self.line((x, top - FAULT + 2), (x, body), BAD.stroke_width(2))?;
            let at_end = x + 30 > WIDTH;
            let (x, anchor) = if at_end { (x - 4, HPos::Right) } else { (x + 4, HPos::Left) };
            self.text((x, top - FAULT / 2), 12, &format!("{nth}"), anchor, BAD)?;
            free = x + 14;
        }
        let texts = &self.report.texts;
        let mut y = body + 3 * LINE + 16;
        for (nth, violation) in (1..).zip(&self.report.violations).take(TOLD) {
            let (rule, what) = (texts.get(violation.rule), texts.get(violation.what));
            let told = format!("{nth}  {rule}, at {}: {what}", self.report.told(violation.at));
            for line in lines(&told) {
                self.text((20, y), 12, line, HPos::Left, BLACK)?;
                y += LINE;
            }
        }
        let more = self.report.violations.len().saturating_sub(TOLD);
        if more > 0 {
            self.text((20, y), 12, &format!("and {more} more"), HPos::Left, BLACK)?;
        }
        Ok(())
    }

    fn legend(&self, y: i32) -> Drawn {
        let has = |kind| {
            self.report.lanes.iter().flat_map(|lane| &lane.spans).any(|span| span.kind == kind)
        };
        let thick = if self.report.grid.is_some() { "has slots" } else { "leads" };
        let keys = [
            (Kind::Up, "runs"),
            (Kind::Leads, thick),
            (Kind::Acts, "may act"),
            (Kind::Paused, "stands still"),
            (Kind::Hit, "its network fails"),
            (Kind::Clock, "clock runs wrong"),
        ];
        let mut x = LEFT;
        for (kind, name) in keys.into_iter().filter(|(kind, _)| has(*kind)) {
            let end = x + 26;
            match kind {
                Kind::Up => self.rectangle((x, y - 1), (end, y + 1), GREY.filled())?,
                Kind::Leads => self.rectangle((x, y - 6), (end, y + 6), colour(0).filled())?,
                Kind::Acts => self.rectangle((x, y - 1), (end, y + 1), BLACK.filled())?,
                Kind::Paused => self.hatch((x, end), (y - 7, y + 7))?,
                Kind::Hit => self.rectangle((x, y - 7), (end, y + 7), PALE.mix(0.7).filled())?,
                _ => self.line((x, y), (end, y), BLACK)?,
            }
            self.text((end + 6, y), 12, name, HPos::Left, BLACK)?;
            x = end + 24 + 7 * pixels(name.len());
        }
        let left_out = self.report.lanes.len() - self.lanes.len();
        if left_out > 0 {
            let told = format!("{left_out} that never lead are left out");
            self.text((WIDTH - RIGHT_MARGIN, y), 12, &told, HPos::Right, BLACK)?;
        }
        if !self.report.violations.is_empty() {
            self.line((x + 8, y - 8), (x + 8, y + 8), BAD.stroke_width(2))?;
            self.text((x + 16, y), 12, "violation", HPos::Left, BLACK)?;
        }
        Ok(())
    }
}

/// The first letters.
fn cut(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    text.chars().take(letters - 1).chain(['…']).collect()
}

/// The first two lines, which break at spaces.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let fits = text.char_indices().nth(LETTERS).map_or(text.len(), |(end, _)| end);
    let first = text.get(..fits).unwrap_or(text);
    let end = if fits < text.len() { first.rfind(' ').unwrap_or(fits) } else { fits };
    let (first, rest) = text.split_at(end);
    [first, rest.trim_start()].into_iter().filter(|line| !line.is_empty())
}

/// Between two labels of so long an axis: 1, 2 or 5 times a power of ten, up to ten of them.
fn step(length: u64) -> u64 {
    let powers = (0..19).map(|power| 10_u64.pow(power));
    let steps = powers.flat_map(|power| [1, 2, 5].map(|times| power.saturating_mul(times)));
    steps.into_iter().find(|step| length / step <= 10).unwrap_or(u64::MAX)
}

/// Microseconds in seconds, with no more digits than steps like this need.
fn decimal(micros: u64, step: u64) -> String {
    let digits = (0..6).find(|digits| step.is_multiple_of(10_u64.pow(6 - digits))).unwrap_or(6);
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    let end = text.len() - 6 + digits as usize - usize::from(digits == 0);
    text.get(..end).unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(lines("a b").collect::<Vec<_>>(), ["a b"]);
        let text = "word ".repeat(60);
        let broken: Vec<&str> = lines(text.trim_end()).collect();
        assert_eq!(broken.iter().map(|line| line.len()).collect::<Vec<_>>(), [179, 119]);
        assert_eq!(
            lines(&"ä".repeat(200)).map(|line| line.chars().count()).collect::<Vec<_>>(),
            [180, 20]
        );
    }

    #[test]
    fn names_hold_nothing_that_xml_may_not() {
        let mut report = Report::default();
        report.head.title = "a\0b\u{1b}c\u{fffe}<\u{202e}".to_owned();
        let svg = report.svg();
        assert!(!svg.contains(no_xml) && svg.contains("a\u{fffd}b\u{fffd}c\u{fffd}&lt;\u{202e}"));
    }

    #[test]
    fn labels_are_round() {
        assert_eq!([9, 11, 240_000_000].map(step), [1, 2, 50_000_000]);
        let told = [(0, 50_000_000), (1_500_000, 500_000), (1_002_000, 2_000)];
        assert_eq!(told.map(|(at, step)| decimal(at, step)), ["0", "1.5", "1.002"]);
    }
}
