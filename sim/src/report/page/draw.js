// The picture. What is not seen is not drawn, and of what falls on one pixel column the first is.

// Of Okabe and Ito, without the one that is close to red.
const PALETTE = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#882255", "#8c8c3a"];
const colour = place => PALETTE[place % PALETTE.length];
/** The thickest bar. */
const mostShare = lanes.reduce((most, lane) => lane.kinds[LEADS].reduce((most, span) => Math.max(most, span.value), most), 1);
let theme = {};

function readTheme() {
  const css = getComputedStyle(document.documentElement);
  const names = ["paper", "ink", "soft", "line", "panel", "bad", "badly", "hit", "up", "fault", "focus", "good", "nobody", "warn"];
  theme = Object.fromEntries(names.map(name => [name, css.getPropertyValue(`--${name}`).trim()]));
  theme.hatch = hatch(theme.ink, 6);
  theme.thinHatch = hatch(theme.soft, 9);
}

/** Lines from bottom left to top right. */
function hatch(ink, size) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = size * 2;
  const pen = tile.getContext("2d");
  pen.scale(2, 2);
  pen.strokeStyle = ink;
  pen.beginPath();
  for (const shift of [-size, 0, size]) { pen.moveTo(shift, size); pen.lineTo(shift + size, 0); }
  pen.stroke();
  const pattern = window.document.createElement("canvas").getContext("2d").createPattern(tile, "repeat");
  pattern.setTransform(new DOMMatrix().scale(0.5));
  return pattern;
}

function fill(ink, left, top, width, height) {
  pen.fillStyle = ink;
  pen.fillRect(left, top, width, height);
}

/** Text cut to what there is room for; whether there was room for some. */
function write(what, left, middle, most, ink, size = 12, side = "left") {
  pen.font = `${size}px ${FONT}`;
  let shown = what;
  if (pen.measureText(shown).width > most) {
    const letters = firstNot([...what].map((_, count) => count), count => pen.measureText(what.slice(0, count) + "…").width <= most) - 1;
    if (letters < 3) return false;
    shown = what.slice(0, letters) + "…";
  }
  pen.fillStyle = ink;
  pen.textAlign = side;
  pen.textBaseline = "middle";
  pen.fillText(shown, left, middle);
  return true;
}

/** From and to on the screen, at least a pixel apart; nothing if it is not seen. */
function seen(from, to) {
  if (to < view.from || from > view.to) return null;
  const [left, right] = [Math.max(x(from), room.left), Math.min(x(to), room.width - room.right)];
  return [left, Math.max(right - left, 1)];
}

function draw() {
  pen.setTransform(room.scale, 0, 0, room.scale, 0, 0);
  fill(theme.paper, 0, 0, room.width, room.height);
  const parts = { overview: drawOverview, axis: drawAxis, faults: drawFaults, heading: drawHeading, lane: drawLane, grid: drawGrid };
  drawBands();
  room.rows.forEach(row => parts[row.kind]?.(row));
  drawFlags();
  drawCursor();
}

function drawOverview({ y, height }) {
  const [whole, scale] = [report.to - report.from, inner()];
  const place = at => room.left + (at - report.from) / whole * scale;
  fill(theme.panel, room.left, y + 2, scale, height - 4);
  fill(theme.up, place(view.from), y + 2, Math.max(3, place(view.to) - place(view.from)), height - 4);
  violations.forEach(it => fill(theme.bad, place(it.at) - 1, y, 2, height));
}

function drawAxis({ y, height }) {
  const step = stepOver((view.to - view.from) / Math.max(2, inner() / 100));
  const bottom = room.height - 8;
  const shift = axis === "wall" ? origin % step : 0;
  for (let at = Math.ceil((view.from + shift) / step) * step - shift; at <= view.to; at += step) {
    fill(theme.line, Math.round(x(at)), y + height - 4, 1, bottom - y - height + 4);
    const told = tick(at, step);
    const half = told.length * 3.6;
    if (x(at) - half > 4 && x(at) + half < room.width) write(told, x(at), y + height / 2 - 1, 200, theme.soft, 12, "center");
  }
}

function drawFaults({ y, height, row }) {
  const own = faults.filter(fault => fault.row === row);
  own.forEach((fault, place) => {
    const part = seen(fault.from, fault.to);
    if (!part) return;
    const [left, width] = part;
    fill(theme.fault, left, y + 1, Math.max(width, 3), height - 3);
    if (width < 40) fill(theme.soft, left, y + 1, Math.min(width, 3), height - 3);
    if (fault.network && width > 4) fill(theme.thinHatch, left, y + 1, width, height - 3);
    const next = own[place + 1] ? x(own[place + 1].from) : room.width;
    const free = Math.max(width, Math.min(next, room.width) - left) - 10;
    if (free > 30) {
      const over = width > 4 ? left + 5 : left + 6;
      if (fault.network && width > 60) {
        pen.font = `11px ${FONT}`;
        fill(theme.fault, over - 2, y + 2, Math.min(pen.measureText(fault.text).width + 4, width - 6), height - 5);
      }
      write(fault.text, over, y + height / 2, free, theme.ink, 11);
    }
  });
}

function drawHeading({ y, height, text }) {
  write(text, 8, y + height / 2 + 3, room.width - 16, theme.ink, 13);
}

function drawLane({ y, height, place }) {
  const lane = lanes[place];
  if (height >= 12) fill(theme.line, 0, y + height - 1, room.width, 1);
  if (height >= 12) write(lane.name, room.left - 10, y + height / 2, room.left - 16, theme.ink, Math.min(13, height - 1), "right");
  const own = lane.colour === null ? theme.soft : colour(lane.colour);
  // The bar is in the upper two thirds, requests are below it.
  const middle = y + height * 0.38;
  const each = (kind, paint) => lane.kinds[kind].forEach(span => {
    const part = seen(span.from, span.to);
    if (part) paint(part[0], part[1], span);
  });
  each(HIT, (left, width) => {
    fill(theme.hit, left, y, width, height - 1);
    if (height >= 12) fill(theme.thinHatch, left, y, width, height - 1);
  });
  each(UP, (left, width) => fill(theme.up, left, middle - 1, width, Math.max(1.5, height / 24)));
  each(LEADS, (left, width, span) => {
    const thick = Math.max(height * 0.5 * span.value / mostShare, 2);
    fill(own, left, middle - thick / 2, width, thick);
  });
  each(HOLDS, (left, width, span) => {
    const holder = span.value ? lanes[span.value - 1] : null;
    pen.globalAlpha = 0.35;
    fill(holder ? colour(holder.colour) : theme.soft, left, y + height * 0.2, width, height * 0.6);
    pen.globalAlpha = 1;
    fill(holder ? colour(holder.colour) : theme.soft, left, y + height * 0.2, Math.min(2, width), height * 0.6);
    if (height >= 20) write(span.text, left + 6, y + height / 2, width - 10, theme.ink);
  });
  if (height >= 12) each(ACTS, (left, width) => fill(theme.ink, left, middle + height * 0.28, width, Math.max(1.5, height / 20)));
  each(PAUSED, (left, width) => {
    pen.globalAlpha = 0.7;
    fill(theme.paper, left, middle - height * 0.3, width, height * 0.6);
    pen.globalAlpha = 1;
    fill(theme.hatch, left, middle - height * 0.3, width, height * 0.6);
    pen.strokeStyle = theme.ink;
    pen.strokeRect(left + 0.5, middle - height * 0.3 + 0.5, width, height * 0.6 - 1);
  });
  if (height >= 20) each(CLOCK, (left, width, span) => drawClock(left, width, span, y));
  if (height >= 12) drawCalls(lane, y + height * 0.72, height * 0.24);
  drawMarks(lane, middle - height * 0.02, height);
  if (view.lane === place) {
    pen.strokeStyle = theme.focus;
    pen.strokeRect(room.left + 0.5, y + 0.5, inner() - 1, height - 2);
  }
}

/** Dots that rise with the speed, and which it is. */
function drawClock(left, width, span, y) {
  pen.strokeStyle = theme.warn;
  pen.setLineDash([2, 3]);
  pen.beginPath();
  pen.moveTo(left, y + 3.5);
  pen.lineTo(left + width, y + 3.5);
  pen.stroke();
  pen.setLineDash([]);
  pen.font = `10px ${FONT}`;
  if (pen.measureText(span.text).width + 8 < width) {
    const size = pen.measureText(span.text).width + 6;
    fill(theme.paper, left + 4, y, size, 11);
    write(span.text, left + 7, y + 5.5, width, theme.warn, 10);
  }
}

/** Reads are short, writes long, work is a line; what failed is drawn over all. */
function drawCalls(lane, top, height) {
  const inks = [theme.soft, theme.up, theme.ink, theme.bad];
  const paths = inks.map(() => new Path2D());
  const last = [-1, -1, -1, -1];
  const dots = new Path2D();
  for (let nth = firstNot(lane.calls, call => call[FROM] < view.from - lane.longest); nth < lane.calls.length; nth++) {
    const call = lane.calls[nth];
    if (call[FROM] > view.to) break;
    const came = call[CAME];
    let left = Math.round(x(call[FROM]));
    const right = Math.min(room.width - room.right, Math.max(left + 1, Math.round(x(call[FROM] + call[LENGTH]))));
    if (right <= Math.max(last[came], room.left)) continue;
    left = Math.max(left, last[came], room.left);
    last[came] = right;
    if (came === WORK) paths[came].rect(left, top + height - 2, right - left, 2);
    else {
      const tall = came === 0 ? height * 0.5 : height - 2;
      paths[came].rect(left, top + height - 2 - tall, Math.max(1, Math.min(right - left, 1.5)), tall);
      if (right - left > 2) paths[came].rect(left, top + height - 3 - tall / 2, right - left, 1);
      if (right - left > 8 && call[EFFECT] !== null) dots.rect(Math.round(x(call[FROM] + call[EFFECT])) - 1.5, top + height - 4 - tall / 2, 3, 3);
    }
  }
  paths.forEach((path, came) => { pen.fillStyle = inks[came]; pen.fill(path); });
  pen.fillStyle = theme.ink;
  pen.fill(dots);
}

function drawMarks(lane, middle, height) {
  const last = SIGNS.map(() => -9);
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  const size = Math.min(15, Math.max(7, height * 0.42));
  pen.font = `bold ${size}px ${FONT}`;
  for (let nth = firstNot(lane.marks, mark => mark.at < view.from); nth < lane.marks.length; nth++) {
    const { sign, at } = lane.marks[nth];
    if (at > view.to) break;
    if (x(at) - last[sign] < 7) continue;
    last[sign] = x(at);
    pen.lineWidth = 3;
    pen.strokeStyle = theme.paper;
    const high = sign === REFUSED ? middle + height * 0.46 : middle;
    pen.strokeText(SIGNS[sign], x(at), high);
    pen.lineWidth = 1;
    pen.fillStyle = sign === CRASHES || sign === REFUSED ? theme.bad : sign === WARNS ? theme.warn : theme.ink;
    pen.fillText(SIGNS[sign], x(at), high);
  }
}

function paintOf(code) {
  const paint = grid.key[code]?.paint ?? "none";
  if (paint.colour !== undefined) return grid.key[code].name === "unknown" ? theme.hatch : colour(paint.colour);
  return { none: theme.nobody, bad: theme.bad, good: theme.good, expected: colour(1) }[paint];
}

function drawGrid({ y, height, each }) {
  fill(theme.nobody, room.left, y, inner(), height);
  const inks = grid.key.map((_, code) => paintOf(code));
  const bad = grid.key.findIndex(key => key.paint === "bad");
  grid.rows.forEach((row, place) => {
    const top = y + place * each;
    const gap = each >= 4 ? 1 : 0;
    if (each >= 12 || place === 0 || place === grid.rows.length - 1) {
      const middle = each >= 12 ? top + each / 2 : place === 0 ? top + 6 : top + each - 6;
      write(text(row.name), room.left - 10, middle, room.left - 16, theme.soft, 11, "right");
    }
    let last = -1;
    const short = [];
    for (let nth = Math.max(0, firstNot(row.runs, run => run[0] <= view.from) - 1); nth < row.runs.length; nth++) {
      const [from, code] = row.runs[nth];
      if (from > view.to) break;
      const part = seen(from, row.runs[nth + 1]?.[0] ?? report.to);
      if (part && code === bad) short.push([part[0], Math.max(part[1], 3)]);
      if (!part || inks[code] === theme.nobody || part[0] + part[1] <= last) continue;
      last = part[0] + part[1];
      fill(inks[code], part[0], top, part[1], each - gap);
    }
    // What is bad is seen however short it is.
    short.forEach(([left, width]) => fill(theme.bad, left, top, width, each));
  });
}

const lasts = it => Math.max(it.to, it.at + (axis === "seed" ? 1 : 0));

/** How long violations last, behind all. */
function drawBands() {
  const flags = rowOf("flags");
  if (!flags) return;
  const top = flags.y + flags.height;
  let last = 0;
  for (const it of violations) {
    const [left, width] = seen(Math.max(it.at, last), lasts(it)) ?? [0, 0];
    if (width && lasts(it) > last) fill(theme.badly, left, top, width, room.height - 8 - top);
    last = Math.max(last, lasts(it));
  }
}

/** A line through all lanes for each violation, with a flag where there is room. */
function drawFlags() {
  const flags = rowOf("flags");
  if (!flags) return;
  let free = -1;
  violations.forEach((it, place) => {
    const left = x(it.at);
    if (!seen(it.at, it.at) || left < free) return;
    fill(theme.bad, left - 1, flags.y + 2, 2, room.height - 8 - flags.y - 2);
    const next = violations.slice(place + 1, place + 100).find(other => x(other.at) > left + 14);
    const rest = Math.min(next ? x(next.at) : room.width, room.width) - left - 8;
    const beside = left + 30 < room.width;
    const wrote = rest > 50 && write(`${it.number} ${it.rule}`, left + 4, flags.y + flags.height / 2, rest, theme.bad, 11);
    if (!wrote) write(String(it.number), beside ? left + 4 : left - 4, flags.y + flags.height / 2, 40, theme.bad, 11, beside ? "left" : "right");
    free = left + 14;
  });
}

function drawCursor() {
  if (view.cursor === null || view.cursor < view.from || view.cursor > view.to) return;
  const row = rowOf("axis");
  const left = Math.round(x(view.cursor));
  fill(theme.focus, left, row.y + row.height - 6, 1, room.height - row.y - row.height - 2);
}
