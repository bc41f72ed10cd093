// Looking around: by mouse, by keys, by buttons.

const tip = document.getElementById("tip");
const WHOLE = report.to - report.from;
/** The nearest that one can look: ten microseconds, or ten seeds. */
const NEAREST = 10;

/** Looks at this part of the axis. */
function look(from, length) {
  const size = Math.min(Math.max(length, Math.min(NEAREST, WHOLE)), WHOLE);
  view.from = Math.min(Math.max(from, report.from), report.to - size);
  view.to = view.from + size;
  show();
}

/** `at` stays where it is. */
function zoom(factor, at = view.cursor !== null && view.cursor > view.from && view.cursor < view.to ? view.cursor : (view.from + view.to) / 2) {
  const length = Math.min((view.to - view.from) / factor, WHOLE);
  look(at - (at - view.from) / (view.to - view.from) * length, length);
}

const pan = part => look(view.from + (view.to - view.from) * part, view.to - view.from);

/** Where there is something to see: violations, and where somebody begins to lead. */
const stops = violations.map(it => ({ at: it.at, lane: it.lanes[0] ?? null, text: `${it.rule}: ${it.what}`, violation: it }))
  .concat(lanes.flatMap((lane, place) => lane.kinds[LEADS].map(span => ({ at: span.from, lane: place, text: `${lane.name}: ${span.text}` }))))
  .sort((one, other) => one.at - other.at || (one.violation ? -1 : 1));

/** The next place, or the one before. */
function jump(way) {
  const here = view.cursor ?? (way > 0 ? report.from - 1 : report.to + 1);
  const same = view.stop && view.stop.at === here ? stops.indexOf(view.stop) : -1;
  const stop = same >= 0 ? stops[same + way] : way > 0 ? stops.find(it => it.at > here) : stops.findLast(it => it.at < here);
  if (stop) goTo(stop);
}

function goTo(stop) {
  const length = Math.min(view.to - view.from, WHOLE / 4);
  Object.assign(view, { cursor: stop.at, lane: stop.lane, stop });
  look(stop.at - length / 2, length);
  announce(stop.at, [`${stop.violation ? "violation " : ""}${tell(stop.at)}`, stop.text], stop.violation);
}

/** Says something below a place, and to who cannot see it. */
function announce(where, lines, bad) {
  showTip(x(where), room.height - 8, lines, bad);
  document.getElementById("said").textContent = lines.join(". ");
}

function showTip(left, top, lines, bad = false) {
  tip.replaceChildren(...lines.map((line, place) => Object.assign(document.createElement("p"), { textContent: line, className: bad && place === 0 ? "bad" : "" })));
  tip.hidden = lines.length === 0;
  const size = tip.getBoundingClientRect();
  const beside = left + 14 + size.width > room.width ? left - 14 - size.width : left + 14;
  tip.style.left = `${Math.max(4, beside)}px`;
  tip.style.top = `${top + 12}px`;
}

const hideTip = () => { tip.hidden = true; };

/** A request in words. */
function ofCall(call) {
  const [, from, effect, length, what, became, number] = call;
  const asked = number === null || call[CAME] !== WORK ? text(what) : `${text(what)} ${number}`;
  const version = number === null || call[CAME] === WORK ? "" : ` (version ${number})`;
  const took = effect === null ? "" : `, took effect after ${long(effect)}`;
  return `${asked}: sent at ${tell(from)}${took}, over after ${long(length)}: ${text(became) || "done"}${version}`;
}

/** The calls around a place, the nearest first. */
function callsAt(lane, where, slack) {
  const near = [];
  for (let nth = firstNot(lane.calls, call => call[FROM] < where - slack - lane.longest); nth < lane.calls.length; nth++) {
    const call = lane.calls[nth];
    if (call[FROM] > where + slack) break;
    if (call[FROM] + call[LENGTH] >= where - slack) near.push(call);
  }
  const away = call => Math.max(call[FROM] - where, where - call[FROM] - call[LENGTH], 0) - (call[CAME] === FAILED ? slack / 2 : 0);
  return near.sort((one, other) => away(one) - away(other));
}

/** What is at a point, a line each. */
function whatIsAt(left, top) {
  const row = room.rows.find(row => top >= row.y && top < row.y + row.height);
  if (!row || left < room.left || left > room.width - room.right) return [];
  const [where, slack] = [at(left), 4 / inner() * (view.to - view.from)];
  const covers = span => span.from <= where + slack / 2 && span.to >= where - slack / 2;
  const near = violations.filter(it => it.at <= where + slack && Math.max(it.at, it.to) >= where - slack);
  const lines = [];
  if (row.kind === "flags") lines.push(...near.slice(0, 3).map(it => `${it.rule}: ${it.what}`));
  if (row.kind === "faults") {
    faults.filter(fault => fault.row === row.row && fault.from <= where + slack && fault.to >= where - slack)
      .forEach(fault => lines.push(`${fault.text}, from ${tell(fault.from)}${fault.to > fault.from ? ` for ${long(fault.to - fault.from)}` : ""}`));
  }
  if (row.kind === "lane") lines.push(...ofLane(lanes[row.place], where, slack, covers));
  if (row.kind === "grid") {
    const line = grid.rows[Math.min(grid.rows.length - 1, Math.floor((top - row.y) / row.each))];
    const run = line.runs[firstNot(line.runs, run => run[0] <= where) - 1];
    if (run) lines.push(`${text(line.name)}: ${grid.key[run[1]].name}`);
    const failed = axis === "seed" && violations.find(it => it.at === Math.floor(where));
    if (failed) lines.push(failed.what);
  }
  return lines.length ? [row.kind === "lane" ? `${lanes[row.place].name}, ${tell(where)}` : tell(where), ...lines] : [];
}

function ofLane(lane, where, slack, covers) {
  const lines = [];
  const spans = kind => lane.kinds[kind].filter(covers);
  const how = [...spans(LEADS), ...spans(ACTS).slice(0, 1), ...spans(PAUSED), ...spans(CLOCK)].map(span => span.text);
  if (!how.length && lane.colour !== null) how.push(spans(UP).length ? "runs, does not lead" : lane.kinds[UP].length ? "is down" : "does not hold it");
  how.push(...spans(UP).map(span => span.text), ...spans(HIT).map(span => `network: ${span.text}`));
  how.push(...spans(HOLDS).map(span => `${span.text} holds, since ${tell(span.from)}`));
  if (how.length) lines.push([...new Set(how)].join(" · "));
  lane.marks.filter(mark => Math.abs(mark.at - where) <= 1.5 * slack).slice(0, 4).forEach(mark => lines.push(`${mark.text} (${tell(mark.at)})`));
  const calls = callsAt(lane, where, slack);
  calls.slice(0, 3).forEach(call => lines.push(ofCall(call)));
  if (calls.length > 3) lines.push(`and ${calls.length - 3} more requests here`);
  return lines;
}

/** The next call or event of the lane. */
function walk(way) {
  view.lane ??= order[0];
  const lane = lanes[view.lane];
  const here = view.cursor ?? view.from;
  const call = way > 0 ? lane.calls[firstNot(lane.calls, call => call[FROM] <= here)] : lane.calls[firstNot(lane.calls, call => call[FROM] < here) - 1];
  const mark = way > 0 ? lane.marks.find(mark => mark.at > here) : lane.marks.findLast(mark => mark.at < here);
  const calls = call ? [{ at: call[FROM], text: ofCall(call) }] : [];
  const marks = mark ? [{ at: mark.at, text: mark.text }] : [];
  const next = [...calls, ...marks].sort((one, other) => way * (one.at - other.at))[0];
  if (!next) return;
  view.cursor = next.at;
  if (next.at < view.from || next.at > view.to) look(next.at - (view.to - view.from) / 2, view.to - view.from); else show();
  announce(next.at, [`${lane.name}, ${tell(next.at)}`, next.text]);
}

function choose(way) {
  if (!lanes.length) return;
  view.lane = order[view.lane === null ? 0 : Math.min(Math.max(order.indexOf(view.lane) + way, 0), lanes.length - 1)];
  view.cursor ??= (view.from + view.to) / 2;
  show();
  const lane = lanes[view.lane];
  const covers = span => span.from <= view.cursor && span.to >= view.cursor;
  announce(view.cursor, [`${lane.name}, ${tell(view.cursor)}`, ...ofLane(lane, view.cursor, 0, covers)]);
}

const KEYS = {
  "+": () => zoom(2), "=": () => zoom(2), "-": () => zoom(0.5), "0": () => look(report.from, WHOLE), Home: () => look(report.from, WHOLE),
  n: () => jump(1), p: () => jump(-1), ".": () => walk(1), ",": () => walk(-1),
  "?": () => document.getElementById("help").showModal(),
};

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.getElementById("help").open) return;
  const key = event.key;
  const part = event.shiftKey ? 0.5 : 0.1;
  const inPicture = document.activeElement === picture;
  if (key === "ArrowLeft") pan(-part);
  else if (key === "ArrowRight") pan(part);
  else if (inPicture && key === "ArrowUp") choose(-1);
  else if (inPicture && key === "ArrowDown") choose(1);
  else if (inPicture && key === "Enter") jump(1);
  else if (key === "Escape") hideTip();
  else if (KEYS[key]) KEYS[key]();
  else return;
  event.preventDefault();
});

const inPicture = event =>
  [event.offsetX * room.width / picture.clientWidth, event.offsetY * room.height / picture.clientHeight];

picture.addEventListener("wheel", event => {
  const [left] = inPicture(event);
  // Beside the picture the wheel scrolls the page.
  if (left < room.left || event.ctrlKey) return;
  event.preventDefault();
  if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan((event.deltaX || event.deltaY) / 1000);
  else zoom(1.0015 ** -event.deltaY, at(left));
}, { passive: false });

let drag = null;
picture.addEventListener("pointerdown", event => {
  const [left, top] = inPicture(event);
  drag = { left, from: view.from, moved: false, top };
  picture.setPointerCapture(event.pointerId);
});
picture.addEventListener("pointermove", event => {
  const [left, top] = inPicture(event);
  if (drag && Math.abs(left - drag.left) > 3) drag.moved = true;
  if (drag?.moved) {
    hideTip();
    look(drag.from - (left - drag.left) / inner() * (view.to - view.from), view.to - view.from);
  } else showTip(left, top, whatIsAt(left, top), rowOf("flags") && whatIsAt(left, top).length && top < rowOf("flags").y + rowOf("flags").height);
});
picture.addEventListener("pointerup", event => {
  const [left, top] = inPicture(event);
  if (drag && !drag.moved && left >= room.left) {
    const overview = rowOf("overview");
    const flags = rowOf("flags");
    if (top < overview.y + overview.height) {
      const where = report.from + (left - room.left) / inner() * WHOLE;
      look(where - (view.to - view.from) / 2, view.to - view.from);
    } else {
      const flag = flags && top >= flags.y && top < flags.y + flags.height && violations.findLast(it => x(it.at) <= left + 4);
      if (flag) goTo(stops.find(stop => stop.violation === flag));
      else {
        const row = room.rows.find(row => row.kind === "lane" && top >= row.y && top < row.y + row.height);
        Object.assign(view, { cursor: at(left), lane: row ? row.place : view.lane, stop: null });
        show();
      }
    }
  }
  drag = null;
});
picture.addEventListener("pointercancel", () => { drag = null; });
picture.addEventListener("pointerleave", hideTip);
picture.addEventListener("dblclick", event => zoom(4, at(inPicture(event)[0])));
