"use strict";
// What the numbers in the data mean, and how places on the axis are told.

const report = JSON.parse(document.getElementById("report").textContent);
const text = place => report.texts[place];

// Kinds of spans, of calls by what came of them, and of marks, in the order in which they are written.
const UP = 0, LEADS = 1, ACTS = 2, PAUSED = 3, CLOCK = 4, HIT = 5, HOLDS = 6;
const WORK = 1, FAILED = 3;
const CRASHES = 2, WARNS = 4, REFUSED = 6;
const SIGNS = ["▸", "▪", "✕", "▾", "!", "◆", "⊘"];
// Places in a call.
const CAME = 0, FROM = 1, EFFECT = 2, LENGTH = 3, WHAT = 4, BECAME = 5, NUMBER = 6;

const lanes = report.lanes.map(lane => {
  const kinds = [[], [], [], [], [], [], []];
  for (const [kind, from, length, what, value] of lane.spans) {
    kinds[kind].push({ from, to: from + length, text: text(what), value });
  }
  const marks = lane.marks.map(([sign, at, what]) => ({ sign, at, text: text(what) }));
  const longest = lane.calls.reduce((most, call) => Math.max(most, call[LENGTH]), 0);
  const group = lane.group === null ? null : text(lane.group);
  return { name: text(lane.name), group, colour: lane.colour, kinds, marks, calls: lane.calls, longest };
});
const faults = report.faults.map(([network, from, length, what, row]) =>
  ({ network, from, to: from + length, text: text(what), row }));
const violations = report.violations.map((it, place) =>
  ({ ...it, rule: text(it.rule), what: text(it.what), number: place + 1 }));
const grid = report.grid;

// The axis is of microseconds since something, or of seeds.
const [axis, origin] = typeof report.axis === "string" ? [report.axis, 0] : Object.entries(report.axis)[0];
const SECOND = 1e6, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const STEPS = [1, 2, 5, 10, 15, 30].map(it => it * SECOND)
  .concat([1, 2, 5, 10, 15, 30].map(it => it * MINUTE), [1, 2, 3, 6, 12].map(it => it * HOUR))
  .concat([1, 2, 7, 14, 28, 84, 168, 336].map(it => it * DAY));

/** The least round step that is at least this long. */
function stepOver(least) {
  const decimals = [];
  for (let power = 1; power <= (axis === "seed" ? 1e15 : SECOND / 10); power *= 10) decimals.push(power, 2 * power, 5 * power);
  const all = axis === "seed" ? decimals : decimals.concat(STEPS);
  return all.find(step => step >= least) ?? all.at(-1);
}

const twoDigits = number => String(number).padStart(2, "0");

/** Seconds, with no more digits than steps like this need. */
function seconds(at, step) {
  const digits = step >= SECOND ? 0 : Math.min(6, Math.ceil(-Math.log10(step / SECOND) - 1e-9));
  return (at / SECOND).toFixed(digits);
}

/** As 2d03h, 1h05m or 1m05s. */
function units(at, step) {
  const whole = Math.floor(at / SECOND);
  const [days, hours, minutes, rest] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, whole % 60];
  let told = days ? `${days}d` : "";
  if (days || hours) told += days ? `${twoDigits(hours)}h` : `${hours}h`;
  if (step < HOUR || !told) told += told ? `${twoDigits(minutes)}m` : `${minutes}m`;
  if (step < MINUTE) told += step < SECOND ? `${seconds(at % MINUTE, step)}s` : `${twoDigits(rest)}s`;
  return told;
}

const date = at => new Date((origin + at) / 1000).toISOString();

/** A label of the axis. */
function tick(at, step) {
  if (axis === "seed") return String(BigInt(origin) + BigInt(Math.round(at)));
  if (axis === "wall") return step >= DAY ? date(at).slice(0, 10) : date(at).slice(11, step >= SECOND ? 19 : 23);
  return report.to < HOUR ? `${seconds(at, step)} s` : at === 0 ? "0" : units(at, step);
}

/** A place in full. */
function tell(at) {
  if (axis === "seed") return `seed ${tick(Math.floor(at), 1)}`;
  if (axis === "wall") return date(at).replace("T", " ").replace("Z", " UTC");
  const exact = `${(at / SECOND).toFixed(Math.abs(at % 1000) < 0.5 ? 3 : 6)} s`;
  return at < HOUR ? exact : `${exact} (${units(at, SECOND)})`;
}

/** A length. */
function long(length) {
  if (axis === "seed") return `${Math.round(length)} seeds`;
  if (length < 1000) return `${Math.round(length)} µs`;
  if (length < SECOND) return `${(length / 1000).toFixed(length < 1e5 ? 1 : 0)} ms`;
  return length < 10 * MINUTE ? `${(length / SECOND).toFixed(3)} s` : units(length, SECOND);
}
