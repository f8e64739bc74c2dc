/** The plane of the map: web Mercator, north up, 512 units around the world at zoom 0, as deck.gl has it. */

const WORLD = 512;
const EQUATOR_M = 40075016.686;

const toX = (lon) => ((lon + 180) / 360) * WORLD;
const toY = (lat) => WORLD / 2 - (Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360)) * WORLD) / (2 * Math.PI);
const toLon = (x) => (x / WORLD) * 360 - 180;
const toLat = (y) => (Math.atan(Math.exp(((WORLD / 2 - y) * 2 * Math.PI) / WORLD)) * 360) / Math.PI - 90;

class View {
  constructor() {
    this.width = this.height = 1;
    this.x = this.y = WORLD / 2;
    this.zoom = 1;
    this.home = this.whole = [-180, -85, 180, 85];
  }

  get scale() {
    return 2 ** this.zoom;
  }

  get lon() {
    return toLon(this.x);
  }

  get lat() {
    return toLat(this.y);
  }

  toScreen(lon, lat) {
    return [(toX(lon) - this.x) * this.scale + this.width / 2, (toY(lat) - this.y) * this.scale + this.height / 2];
  }

  fromScreen(left, top) {
    return [toLon(this.x + (left - this.width / 2) / this.scale), toLat(this.y + (top - this.height / 2) / this.scale)];
  }

  move(left, top) {
    this.x += left / this.scale;
    this.y += top / this.scale;
    this.keep();
  }

  /** Zoom so that what lies at a point of the screen stays there. */
  zoomAt(steps, left = this.width / 2, top = this.height / 2) {
    const [dx, dy] = [left - this.width / 2, top - this.height / 2];
    const before = this.scale;
    this.zoom = Math.min(20, Math.max(this.zoomOfHome() - 1, this.zoom + steps));
    this.x += dx / before - dx / this.scale;
    this.y += dy / before - dy / this.scale;
    this.keep();
  }

  /** Show a box, or everything. */
  fit([west, south, east, north], margin = 24) {
    const [left, right, top, bottom] = [toX(west), toX(east), toY(north), toY(south)];
    this.x = (left + right) / 2;
    this.y = (top + bottom) / 2;
    const wide = Math.max(1e-9, (right - left) / Math.max(50, this.width - 2 * margin));
    const high = Math.max(1e-9, (bottom - top) / Math.max(50, this.height - 2 * margin));
    this.zoom = Math.min(17, -Math.log2(Math.max(wide, high)));
  }

  goHome() {
    this.fit(this.home);
  }

  zoomOfHome() {
    const probe = new View();
    Object.assign(probe, { width: this.width, height: this.height });
    probe.fit(this.home);
    return probe.zoom;
  }

  /** The middle never leaves what there is to see. */
  keep() {
    const [west, south, east, north] = this.whole;
    this.x = Math.min(toX(east), Math.max(toX(west), this.x));
    this.y = Math.min(toY(south), Math.max(toY(north), this.y));
  }

  metresPerPixel() {
    return ((EQUATOR_M / WORLD) * Math.cos((this.lat * Math.PI) / 180)) / this.scale;
  }
}

/** The box around corners `[lon, lat, lon, lat, …]`. */
function boxOf(corners, from = 0, to = corners.length) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (let at = from; at < to; at += 2) {
    box[0] = Math.min(box[0], corners[at]);
    box[1] = Math.min(box[1], corners[at + 1]);
    box[2] = Math.max(box[2], corners[at]);
    box[3] = Math.max(box[3], corners[at + 1]);
  }
  return box;
}

const around = (a, b) => [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])];
const NOWHERE = [Infinity, Infinity, -Infinity, -Infinity];

/**
 * Polygons to fill: rings lie one behind the other in `corners`, each closed; ring `r` begins at corner `starts[r]`.
 * Polygon `p` has the rings `first[p]` to `first[p + 1]`, its outline before its holes, and belongs to row `row[p]`.
 * Those that lie `apart` never overlap.
 */
class Shapes {
  constructor(corners, starts, first, row) {
    Object.assign(this, { corners, starts, first, row });
    this.count = row.length;
    this.simple = first.length === starts.length;
    this.apart = false;
  }

  ring(r) {
    return this.corners.subarray(2 * this.starts[r], 2 * this.starts[r + 1]);
  }

  rings(p) {
    const rings = [];
    for (let r = this.first[p]; r < this.first[p + 1]; r++) rings.push(this.ring(r));
    return rings;
  }

  box(p) {
    return boxOf(this.ring(this.first[p]));
  }

  boxes() {
    this.kept ??= Array.from({ length: this.count }, (_, p) => this.box(p));
    return this.kept;
  }

  /** These polygons, but those of others for the rows that the others have. */
  replaced(others) {
    const theirs = new Set(others.row);
    const mine = [...this.row.keys()].filter((p) => !theirs.has(this.row[p]));
    const all = [...mine.map((p) => [this, p]), ...[...others.row.keys()].map((p) => [others, p])];
    const rings = all.map(([of, p]) => of.rings(p));
    const corners = Float64Array.from(rings.flat().flatMap((ring) => [...ring]));
    const [starts, first] = [[0], [0]];
    for (const ring of rings.flat()) starts.push(starts.at(-1) + ring.length / 2);
    for (const polygon of rings) first.push(first.at(-1) + polygon.length);
    const row = Uint32Array.from(all.map(([of, p]) => of.row[p]));
    return new Shapes(corners, Uint32Array.from(starts), Uint32Array.from(first), row);
  }

  /** The row of the polygon that holds a place, of several the one on top; -1 for none. `allowed` says which count. */
  rowAt(lon, lat, allowed) {
    const boxes = this.boxes();
    for (let p = this.count - 1; p >= 0; p--) {
      const [west, south, east, north] = boxes[p];
      if (lon < west || lon > east || lat < south || lat > north || !allowed(this.row[p])) continue;
      if (this.rings(p).reduce((inside, ring) => inside !== crosses(ring, lon, lat), false)) return this.row[p];
    }
    return -1;
  }
}

/** Whether a place lies in a ring, by how often a line from it crosses the ring. */
function crosses(ring, lon, lat) {
  let inside = false;
  for (let at = 0; at + 3 < ring.length; at += 2) {
    const [x0, y0, x1, y1] = [ring[at], ring[at + 1], ring[at + 2], ring[at + 3]];
    if (y0 > lat !== y1 > lat && lon < x0 + ((lat - y0) * (x1 - x0)) / (y1 - y0)) inside = !inside;
  }
  return inside;
}

/** Rings of whole numbers, as a block has them, to shapes. */
function shapesOf(block, prefix) {
  const counts = block.column(`${prefix}_corners`);
  const owner = block.column(`${prefix}_area`);
  const hole = block.column(`${prefix}_hole`);
  const [lon, lat] = [block.signed(`${prefix}_lon`), block.signed(`${prefix}_lat`)];
  const corners = new Float64Array(2 * (lon.length + counts.length));
  const [starts, first, row] = [new Uint32Array(counts.length + 1), [], []];
  let [from, to] = [0, 0];
  for (let r = 0; r < counts.length; r++) {
    starts[r] = to;
    if (!hole[r]) {
      first.push(r);
      row.push(owner[r]);
    }
    for (let corner = 0; corner <= counts[r]; corner++, to++) {
      const at = from + (corner % counts[r]);
      corners[2 * to] = lon[at] / 1e6;
      corners[2 * to + 1] = lat[at] / 1e6;
    }
    from += counts[r];
  }
  starts[counts.length] = to;
  first.push(counts.length);
  return new Shapes(corners, starts, Uint32Array.from(first), Uint32Array.from(row));
}
