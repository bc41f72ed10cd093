// Where things are: rows from top to bottom, and the axis from left to right.

const picture = document.getElementById("picture");
const pen = picture.getContext("2d");
const FONT = "system-ui, 'DejaVu Sans', sans-serif";

/** What is seen: a part of the axis, and what was chosen in it. */
const view = { from: report.from, to: report.to, cursor: null, lane: null };
/** Rows, and the size of it all; made by `arrange`. */
const room = { rows: [], width: 0, height: 0, left: 0, right: 12, scale: 1 };

// Where many only wait, those that do more come first, and are seen better. Locks come first anyway, but for
// recordings, in which each stands above its holders.
const MANY = 12;
const waits = lane => lane.colour !== null && !lane.kinds[LEADS].length;
const grouped = lanes.some(lane => lane.group !== null);
const busy = lanes.filter(lane => grouped || !waits(lane)).length;
const rank = lane => lane.colour === null ? 0 : lanes.length <= MANY || !waits(lane) ? 1 : 2;
const order = lanes.map((_, place) => place);
if (!grouped) order.sort((one, other) => rank(lanes[one]) - rank(lanes[other]) || one - other);

function laneHeight(lane) {
  const many = rank(lane) === 2 ? Math.max(MANY + 1, lanes.length - busy) * 2 : busy;
  return [[8, 46], [16, 34], [40, 24], [150, 13], [Infinity, 6]].find(([most]) => many <= most)[1];
}

function arrange(width, scale) {
  pen.font = `13px ${FONT}`;
  const names = lanes.map(lane => lane.name).concat(grid ? [grid.rows[0], grid.rows.at(-1)].map(row => text(row.name)) : []);
  const widest = names.reduce((most, name) => Math.max(most, pen.measureText(name.slice(0, 60)).width), 0);
  const left = Math.min(Math.ceil(widest) + 20, Math.max(84, width * 0.2));
  const rows = [];
  let y = 0;
  const add = (kind, height, more) => { rows.push({ kind, y, height, ...more }); y += height; };
  add("overview", 12);
  add("axis", 24);
  if (violations.length) add("flags", 18);
  const stacked = faults.reduce((most, fault) => Math.max(most, fault.row + 1), 0);
  for (let row = 0; row < stacked; row++) add("faults", 18, { row });
  if (stacked) add("space", 4);
  order.forEach((place, nth) => {
    const lane = lanes[place];
    if (lane.group !== null) add("heading", 26, { text: lane.group });
    if (!grouped && rank(lane) === 2 && rank(lanes[order[nth - 1]]) < 2) add("heading", 26, { text: `${lanes.length - busy} that never lead` });
    add("lane", laneHeight(lane), { place });
  });
  if (grid) {
    add("heading", 26, { text: grid.title });
    const each = grid.rows.length <= 16 ? 20 : Math.max(1, Math.floor(288 / grid.rows.length));
    add("grid", each * grid.rows.length, { each });
  }
  add("space", 8);
  Object.assign(room, { rows, width, height: y, left, scale });
}

const inner = () => room.width - room.left - room.right;
const x = at => room.left + (at - view.from) / (view.to - view.from) * inner();
const at = x => view.from + (x - room.left) / inner() * (view.to - view.from);
const rowOf = kind => room.rows.find(row => row.kind === kind);

/** The place of the first of `list` that does not come before. */
function firstNot(list, before) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (before(list[middle])) low = middle + 1; else high = middle;
  }
  return low;
}
