//! Balance and cost against the number of members, as an SVG.
//!
//! ```
//! use tenure_sim::balance::catalogue::{Choice, Instance};
//! use tenure_sim::balance::input::{KeyHash, Keys, numbered};
//! use tenure_sim::balance::measure::variation;
//! use tenure_sim::balance::plot::{Curve, Point, SIZES, draw};
//!
//! let keys = Keys::drawn(2_000, 1);
//! let point = |choice: Choice, members| {
//!     let instance = Instance::new(choice, numbered("member", members))?;
//!     let variation = variation(&instance, &keys, KeyHash::Xxh3)?;
//!     Ok(Point { members, variation, look_up_nanos: None, bytes: instance.bytes(keys.len()) })
//! };
//! let curves = ["jump", "maglev"].map(|name| {
//!     let choice: Choice = name.parse()?;
//!     let points = SIZES.into_iter().map(|members| point(choice, members));
//!     Ok(Curve { name: name.to_owned(), points: points.collect::<Result<_, _>>()? })
//! });
//! let curves = curves.into_iter().collect::<Result<Vec<_>, tenure_sim::balance::Unfit>>()?;
//! let svg = draw("Two that need no ring", &curves, keys.len())?;
//! assert!(svg.starts_with("<svg ") && svg.contains("maglev"));
//! // Without a clock there is no panel for times.
//! assert!(!svg.contains("What a look-up costs"));
//! # Ok::<(), tenure_sim::balance::Unfit>(())
//! ```

use core::ops::Range;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::Unfit;
use super::measure::ideal;

/// One algorithm at one number of members.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    /// How many there are.
    pub members: u32,
    /// Coefficient of variation.
    pub variation: f64,
    /// Nanoseconds for each look-up, if there was a clock.
    pub look_up_nanos: Option<f64>,
    /// Without the members.
    pub bytes: usize,
}

/// One algorithm at each number of members.
#[derive(Debug, Clone)]
pub struct Curve {
    /// For the legend.
    pub name: String,
    /// Ascending by members.
    pub points: Vec<Point>,
}

/// Numbers of members that are drawn.
pub const SIZES: [u32; 6] = [3, 10, 30, 100, 300, 1000];

const WIDTH: u32 = 1000;
const LEGEND: u32 = 240;
const PANEL: u32 = 380;
const HEAD: u32 = 60;
/// Of Okabe and Ito, made to be told apart by everybody, with a wine red for the yellow.
const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(60, 60, 60),
    RGBColor(136, 34, 85),
];
/// Neighbours differ, and so do curves of one colour.
const MARKS: usize = 4;
const GREY: RGBColor = RGBColor(150, 150, 150);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn core::error::Error>>;

/// What one panel shows.
struct Panel {
    title: &'static str,
    unit: &'static str,
    /// Of a point, over so many keys.
    value: fn(&Point, usize) -> Option<f64>,
    /// Whether a 1 is what chance alone would give.
    by_chance: bool,
}

const PANELS: [Panel; 3] = [
    Panel {
        title: "How unevenly the keys fall",
        unit: "coefficient of variation / ideal, at least 0.1",
        // What is dealt out one by one would push all others together.
        value: |point, keys| Some((point.variation / ideal(point.members as usize, keys)).max(0.1)),
        by_chance: true,
    },
    Panel {
        title: "What a look-up costs",
        unit: "nanoseconds",
        value: |point, _| point.look_up_nanos,
        by_chance: false,
    },
    Panel {
        title: "What it keeps, members aside",
        unit: "bytes",
        #[expect(clippy::cast_precision_loss, reason = "no memory comes near 2^53 bytes")]
        value: |point, _| Some(point.bytes as f64),
        by_chance: false,
    },
];

/// Draws curves over so many keys. The same curves give the same bytes.
///
/// # Errors
/// There is nothing that a logarithmic axis could show.
pub fn draw(title: &str, curves: &[Curve], keys: usize) -> Result<String, Unfit> {
    let mut svg = String::new();
    svg_into(&mut svg, title, curves, keys)
        .map_err(|error| Unfit::new(format_args!("--plot: it cannot be drawn: {error}")))?;
    Ok(svg)
}

fn svg_into(svg: &mut String, title: &str, curves: &[Curve], keys: usize) -> Drawn {
    let shown = |panel: &&Panel| {
        curves
            .iter()
            .flat_map(|curve| &curve.points)
            .any(|point| (panel.value)(point, keys).is_some())
    };
    let panels: Vec<_> = PANELS.iter().filter(shown).collect();
    let count = u32::try_from(panels.len())?;
    let legend = 80 + 22 * u32::try_from(curves.len())?;
    let height = HEAD + (PANEL * count).max(legend);
    {
        let root = SVGBackend::with_string(svg, (WIDTH, height)).into_drawing_area();
        root.fill(&WHITE)?;
        let (head, body) = root.split_vertically(HEAD);
        let style = ("sans-serif", 20).into_font().color(&BLACK);
        head.draw(&Text::new(title.to_owned(), (20, 20), style))?;
        let (left, right) = body.split_horizontally(WIDTH - LEGEND);
        for (place, panel) in (0..).zip(panels) {
            let area = left.margin(place * PANEL, 0, 0, 0);
            let (area, _) = area.split_vertically(PANEL);
            draw_panel(&area, panel, curves, keys)?;
        }
        draw_legend(&right, curves)?;
        root.present()?;
    }
    Ok(())
}

/// From a tenth of the least to ten times the most, in powers of ten.
fn decades(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
    for value in values.filter(|value| *value > 0.0) {
        least = least.min(value);
        most = most.max(value);
    }
    if least > most {
        return 1.0..10.0;
    }
    let (low, high) = (least.log10().floor(), (most * 1.000_1).log10().ceil());
    // A little more, so that the first and the last power have their labels.
    10_f64.powf(low) * 0.999..10_f64.powf(high.max(low + 1.0)) * 1.001
}

fn draw_panel(area: &Area<'_>, panel: &Panel, curves: &[Curve], keys: usize) -> Drawn {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let range = decades(points().filter_map(|point| (panel.value)(point, keys)));
    let floor = range.start;
    let sizes = (2.5..1200.0).log_scale().with_key_points(SIZES.map(f64::from).to_vec());
    let mut chart = ChartBuilder::on(area)
        .caption(panel.title, ("sans-serif", 17))
        .margin(10)
        .x_label_area_size(45)
        .y_label_area_size(75)
        .build_cartesian_2d(sizes, range.log_scale())?;
    chart
        .configure_mesh()
        .light_line_style(WHITE.mix(0.0))
        .bold_line_style(GREY.mix(0.3))
        .x_desc("members")
        .y_desc(panel.unit)
        .axis_desc_style(("sans-serif", 14))
        .label_style(("sans-serif", 13))
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| label(*y))
        .draw()?;
    if panel.by_chance {
        let line = SIZES.map(|members| (f64::from(members), 1.0));
        chart.draw_series(DashedLineSeries::new(line, 8, 6, BLACK.stroke_width(2)))?;
    }
    for (place, curve) in curves.iter().enumerate() {
        // Nothing at all, such as no bytes, is drawn at the bottom.
        let at = |point: &Point| {
            let value = (panel.value)(point, keys)?;
            Some((f64::from(point.members), value.max(floor)))
        };
        let line: Vec<_> = curve.points.iter().filter_map(at).collect();
        let colour = colour(place);
        chart.draw_series(LineSeries::new(line.clone(), colour.stroke_width(2)))?;
        for point in line {
            if is_hollow(place) {
                chart.draw_series([Circle::new(point, 4, WHITE.filled())])?;
            }
            chart.draw_series([mark(place, point)])?;
        }
    }
    Ok(())
}

/// Powers of ten as people write them.
fn label(value: f64) -> String {
    match value {
        v if v >= 1e9 => format!("{:.0} G", v / 1e9),
        v if v >= 1e6 => format!("{:.0} M", v / 1e6),
        v if v >= 1e3 => format!("{:.0} k", v / 1e3),
        v if v >= 1.0 => format!("{v:.0}"),
        v => format!("{v:.4}").trim_end_matches('0').to_owned(),
    }
}

fn colour(place: usize) -> RGBColor {
    COLOURS.get(place % COLOURS.len()).copied().unwrap_or(BLACK)
}

fn shape(place: usize) -> usize {
    (place + place / COLOURS.len()) % MARKS
}

/// What tells curves apart, besides the colour.
fn mark<B, C>(place: usize, at: C) -> DynElement<'static, B, C>
where
    B: DrawingBackend,
    C: Clone + 'static,
{
    let (colour, size) = (colour(place), 5);
    match shape(place) {
        0 => Circle::new(at, size - 1, colour.filled()).into_dyn(),
        1 => TriangleMarker::new(at, size, colour.filled()).into_dyn(),
        2 => Cross::new(at, size, colour.stroke_width(2)).into_dyn(),
        _ => Circle::new(at, size - 1, colour.stroke_width(2)).into_dyn(),
    }
}

/// Whether the mark shows what lies below it.
fn is_hollow(place: usize) -> bool {
    shape(place) == MARKS - 1
}

fn draw_legend(area: &Area<'_>, curves: &[Curve]) -> Drawn {
    let style = ("sans-serif", 14).into_font().color(&BLACK);
    let style = style.pos(Pos::new(HPos::Left, VPos::Center));
    let mut y = 30;
    for dash in [0, 14] {
        let line = vec![(10 + dash, y), (18 + dash, y)];
        area.draw(&PathElement::new(line, BLACK.stroke_width(2)))?;
    }
    area.draw(&Text::new("ideal: by chance alone", (42, y), style.clone()))?;
    for (place, curve) in curves.iter().enumerate() {
        y += 22;
        let line = vec![(10, y), (32, y)];
        area.draw(&PathElement::new(line, colour(place).stroke_width(2)))?;
        if is_hollow(place) {
            area.draw(&Circle::new((21, y), 4, WHITE.filled()))?;
        }
        area.draw(&mark(place, (21, y)))?;
        area.draw(&Text::new(curve.name.clone(), (42, y), style.clone()))?;
    }
    let below = "Where curves coincide the last is seen.";
    area.draw(&Text::new(below, (10, y + 26), ("sans-serif", 12).into_font().color(&BLACK)))?;
    Ok(())
}
