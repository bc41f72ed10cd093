// The rest of the page, and when to draw.

const part = id => document.getElementById(id);
const make = (tag, told, more = {}) => Object.assign(document.createElement(tag), { textContent: told ?? "" }, more);

function headline() {
  const { head, notices } = report;
  document.title = `${head.title || "tenure"}: ${head.verdict}`;
  part("title").textContent = head.title;
  part("verdict").textContent = head.verdict;
  part("verdict").dataset.tone = head.tone;
  part("verdict").hidden = !head.verdict;
  part("about").replaceChildren(...head.about.map(line => make("li", line)));
  part("notices").replaceChildren(...notices.map(line => make("li", line)));
  if (head.again !== null) {
    const [code, button] = part("again").children;
    code.textContent = head.again;
    part("again").hidden = false;
    button.addEventListener("click", () => {
      getSelection().selectAllChildren(code);
      navigator.clipboard?.writeText(head.again).then(() => { button.textContent = "Copied"; }, () => {});
    });
  }
}

const LISTED = 100;

function found() {
  if (!violations.length) return;
  const list = violations.slice(0, LISTED).map(it => {
    const button = make("button", "", { type: "button" });
    button.append(make("b", `${it.number} ${it.rule}`), ` ${axis === "seed" ? "" : `${tell(it.at)}: `}${it.what}`);
    button.addEventListener("click", () => goTo(stops.find(stop => stop.violation === it)));
    return button;
  });
  if (violations.length > LISTED) list.push(make("p", `and ${violations.length - LISTED} more`));
  part("found").replaceChildren(...list);
  part("found").hidden = false;
}

/** What each sign stands for, of those that occur: drawn as in the picture. */
function legend() {
  const has = kind => lanes.some(lane => lane.kinds[kind].length);
  const sample = (name, paint) => {
    const item = make("span");
    const canvas = make("canvas", "", { width: 52, height: 32 });
    const pen = canvas.getContext("2d");
    pen.scale(2, 2);
    paint((ink, ...box) => { pen.fillStyle = ink; pen.fillRect(...box); }, pen);
    item.append(canvas, name);
    return item;
  };
  const sign = (place, ink) => (_, pen) => {
    pen.font = `bold 14px ${FONT}`;
    pen.fillStyle = ink;
    pen.fillText(SIGNS[place], 8, 13);
  };
  const marked = place => lanes.some(lane => lane.marks.some(mark => mark.sign === place));
  const called = lanes.some(lane => lane.calls.length);
  const all = [
    [has(UP), "runs", fill => fill(theme.up, 0, 7, 26, 2)],
    [has(LEADS), grid ? "has slots: the more, the thicker" : grouped ? "holds the lock" : "believes to lead", fill => fill(colour(0), 0, 3, 26, 10)],
    [has(ACTS), grouped ? "first to last write" : "may act", fill => fill(theme.ink, 0, 8, 26, 2)],
    [has(HOLDS), "what the lock says", (fill, pen) => { pen.globalAlpha = 0.35; fill(colour(0), 0, 1, 26, 14); pen.globalAlpha = 1; fill(colour(0), 0, 1, 2, 14); }],
    [has(PAUSED), "stands still", (fill, pen) => { fill(theme.hatch, 0, 1, 26, 14); pen.strokeStyle = theme.ink; pen.strokeRect(0.5, 1.5, 25, 13); }],
    [has(HIT), "its network fails", fill => { fill(theme.hit, 0, 0, 26, 16); fill(theme.thinHatch, 0, 0, 26, 16); }],
    [has(CLOCK), "clock runs wrong", (_, pen) => { pen.strokeStyle = theme.warn; pen.setLineDash([2, 3]); pen.beginPath(); pen.moveTo(0, 8); pen.lineTo(26, 8); pen.stroke(); }],
    [called, "read, write, failed", fill => { fill(theme.soft, 4, 8, 2, 6); fill(theme.ink, 12, 2, 2, 12); fill(theme.bad, 20, 2, 2, 12); }],
    [marked(0), "starts", sign(0, theme.ink)], [marked(1), "exits", sign(1, theme.ink)], [marked(2), "crashes", sign(2, theme.bad)],
    [marked(3), "is told, or stops", sign(3, theme.ink)], [marked(4), "warning", sign(4, theme.warn)],
    [marked(5), "by hand", sign(5, theme.ink)], [marked(6), "guarded write refused", sign(6, theme.bad)],
    [violations.length, "violation", fill => { fill(theme.badly, 8, 0, 12, 16); fill(theme.bad, 8, 0, 2, 16); }],
  ];
  const keys = grid ? grid.key.slice(0, 2 + 12).map((key, code) => [true, key.name, fill => fill(paintOf(code), 0, 1, 26, 14)]) : [];
  part("legend").replaceChildren(...all.concat(keys).filter(([is]) => is).map(([, name, paint]) => sample(name, paint)));
}

const MOST_BARS = 24;

/** Who leads how much of what is seen; of a group who has how much at the cursor, or at the end of what is seen. */
function shares() {
  const own = lanes.map((lane, place) => ({ ...lane, place })).filter(lane => lane.colour !== null && lane.kinds[LEADS].length).slice(0, MOST_BARS);
  const here = view.cursor ?? view.to;
  const value = lane => grid
    ? lane.kinds[LEADS].find(span => span.from <= here && (here < span.to || span.to === report.to))
    : lane.kinds[LEADS].reduce((sum, { from, to }) => sum + Math.max(0, Math.min(to, view.to) - Math.max(from, view.from)), 0);
  const rows = own.map(lane => {
    const it = value(lane);
    return grid ? [lane, it?.value ?? 0, it?.text ?? "none"] : [lane, it, `${long(it)}, ${(it / (view.to - view.from) * 100).toFixed(1)} %`];
  });
  const title = grid ? `Slots at ${tell(here)}` : `Time of ${grouped ? "holding a lock" : "leading"}, in what is seen`;
  return { title, rows: rows.map(([lane, value, told]) => [lane.name, value, told, colour(lane.colour)]) };
}

function bars({ title, rows }) {
  const most = rows.reduce((most, row) => Math.max(most, row[1]), 0) || 1;
  const box = make("section", "", { className: "bars" });
  box.append(make("h2", title));
  for (const [name, value, told, ink] of rows) {
    const line = make("div");
    const bar = make("i");
    bar.style.width = `${value / most * 100}%`;
    if (ink) bar.style.background = ink;
    line.append(make("span", name, { title: name }), bar, make("small", told));
    box.append(line);
  }
  return box;
}

function more() {
  const folds = [];
  if (report.bars.length > 2) {
    folds.push(make("div", "", { className: "bars-of" }));
    folds[0].append(...report.bars.slice(2).map(bars));
  }
  const folded = (title, content, open = false) => {
    const box = make("details", "", { open });
    box.append(make("summary", title), content);
    return box;
  };
  const table = ({ head, rows }) => {
    const box = make("div", "", { className: "scroll" });
    const body = make("table");
    const line = (tag, cells) => { const row = make("tr"); row.append(...cells.map(cell => make(tag, cell))); return row; };
    body.append(line("th", head), ...rows.map(row => line("td", row)));
    box.append(body);
    return box;
  };
  const listed = violations.map(it => [String(it.number), it.rule, tell(it.at), it.what]);
  const own = listed.length ? [{ title: "Violations", head: ["", "rule", "when", "what"], rows: listed.slice(0, 1000) }] : [];
  part("more").replaceChildren(
    ...report.head.explained.map(told => folded("What was found, explained", make("pre", told))),
    ...folds.length ? [folded("How much of what runs had", folds[0])] : [],
    ...own.concat(report.tables.filter(it => it.rows.length)).map(it => folded(it.title, table(it), axis === "seed")),
  );
}

let asked = false;
let fixed = [];

/** Draws before the next frame. */
function show() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => { asked = false; paint(); });
}

function paint() {
  draw();
  part("where").textContent = axis === "seed" ? `seeds ${tick(view.from, 1)} to ${tick(view.to - 1, 1)}` : `${tell(Math.round(view.from))} to ${tell(Math.round(view.to))}`;
  const dynamic = lanes.some(lane => lane.colour !== null && lane.kinds[LEADS].length) ? [bars(shares())] : [];
  part("bars").replaceChildren(...dynamic, ...fixed);
}

function fit(width, scale) {
  // A canvas has no more than so many pixels in each direction.
  arrange(width, 1);
  arrange(width, Math.min(scale, 16000 / room.height));
  picture.width = Math.round(width * room.scale);
  picture.height = Math.round(room.height * room.scale);
  picture.style.aspectRatio = `${room.width} / ${room.height}`;
  paint();
}

const onScreen = () => fit(Math.max(300, Math.round(picture.clientWidth)), devicePixelRatio || 1);
function dress() {
  readTheme();
  legend();
  onScreen();
}

headline();
found();
more();
fixed = report.bars.slice(0, 2).map(bars);
part("tools").addEventListener("click", event => KEYS[event.target.dataset.key]?.());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dress);
// What was seen before it was printed.
let before = null;
new ResizeObserver(() => { if (!before && Math.round(picture.clientWidth) !== room.width) onScreen(); }).observe(picture);
// On paper: all of it, black on white.
addEventListener("beforeprint", () => {
  before = { ...view };
  document.documentElement.classList.add("print");
  Object.assign(view, { from: report.from, to: report.to, cursor: null, lane: null });
  readTheme();
  legend();
  hideTip();
  fit(1050, 3);
});
addEventListener("afterprint", () => {
  document.documentElement.classList.remove("print");
  Object.assign(view, before);
  before = null;
  dress();
});
dress();
// How long it took to open, for who measures it.
document.documentElement.dataset.drawn = performance.now().toFixed(0);
