/** A city: cells with walks, areas with coverage, scenarios and scores, as city_block.py packs them. */

class City {
  constructor(block) {
    this.block = block;
    this.about = block.about;
    this.limits = this.about.minutes.map((minutes) => minutes * 600);
    this.kept = new Map();
    this.cells = this.readCells();
    this.shapes = shapesOf(block, "ring");
    this.areas = this.about.areas;
    this.levels = [...new Set(this.areas.level)];
    this.plans = this.about.plans.map((plan, number) => this.readPlan(plan, number));
    this.doors = { lon: block.signed("end_lon"), lat: block.signed("end_lat") };
    this.score = null;
  }

  once(key, make) {
    if (!this.kept.has(key)) this.kept.set(key, make());
    return this.kept.get(key);
  }

  readCells() {
    const [steps, high] = [this.block.column("cell_low"), this.block.column("cell_high")];
    const ids = new Array(steps.length);
    const row = new Map();
    let [low, top] = [0, 0];
    for (let at = 0; at < steps.length; at++) {
      low += steps[at];
      top += high[at] + (low >= 2 ** 32 ? 1 : 0);
      low %= 2 ** 32;
      ids[at] = top.toString(16) + low.toString(16).padStart(8, "0");
      row.set(ids[at], at);
    }
    return { ids, row, shapes: hexagons(ids), resolution: ids.length ? h3.getResolution(ids[0]) : 0 };
  }

  /** What a scenario changes: cells of one class × profile lie together. */
  readPlan(plan, number) {
    const column = (name) => this.block.column(`plan_${number}_${name}`);
    const keys = column("key");
    const spans = new Map();
    for (let at = 0; at < keys.length; at++) {
      if (!spans.has(keys[at])) spans.set(keys[at], [at, at]);
      spans.get(keys[at])[1] = at + 1;
    }
    const rows = new Map(Array.from(column("row"), (row, at) => [row, at]));
    const [cell, walk, end] = ["cell", "walk", "end"].map(column);
    const [people, covered, share, kind] = ["people", "covered", "share", "kind"].map(column);
    return { ...plan, spans, cell, walk, end, rows, people, covered, share, kind, movers: column("mover") };
  }

  /** Outlines of areas, under a scenario or (-1) as it is: those that it makes or redraws are as it has them. */
  outlines(plan = -1) {
    if (plan < 0 || !this.plans[plan].areas.length) return this.shapes;
    return this.once(`outlines ${plan}`, () => this.shapes.replaced(shapesOf(this.block, `plan_${plan}_ring`)));
  }

  /** Whether there is an area, under a scenario or as it is. */
  hasArea(area, plan = -1) {
    return !this.areas.made[area] || (plan >= 0 && this.plans[plan].areas.includes(area));
  }

  /** Communities, which planners work by; else the level that has most areas. */
  firstLevel() {
    const counts = this.levels.map((level) =>
      level === "community" ? Infinity : this.areas.level.filter((of) => of === level).length,
    );
    return Math.max(0, counts.indexOf(Math.max(...counts)));
  }

  nameOfLevel(level) {
    if (level === null) return word("level_none");
    return called(this.about.levels[level]);
  }

  /** Where people live; of a page without cells where its areas are. */
  home() {
    const { shapes } = this.cells.ids.length ? this.cells : this;
    return shapes.boxes().reduce(around, NOWHERE);
  }

  /** Everything there is to see. */
  box() {
    const all = [-1, ...this.plans.keys()].flatMap((plan) => this.outlines(plan).boxes());
    return all.reduce(around, this.home());
  }

  key(c, p) {
    return c * this.about.profiles.length + p;
  }

  /** Walks of all cells, under a scenario or (-1) as it is. */
  walks(c, p, plan = -1) {
    return this.once(`walks ${c} ${p} ${plan}`, () =>
      this.patched(this.block.column(`walk_${c}_${p}`), c, p, plan, "walk"),
    );
  }

  /** The facilities that the walks lead to: 0 for none, else one more than the place among those of the class. */
  ends(c, p, plan = -1) {
    if (!this.about.nearest) return null;
    const base = this.once(`ends ${c} ${p}`, () => this.endsOfAll(c, p));
    return this.once(`ends ${c} ${p} ${plan}`, () => this.patched(base, c, p, plan, "end"));
  }

  /** The block has ends of the walks that arrive, one after the other. */
  endsOfAll(c, p) {
    const [walks, arrived] = [this.walks(c, p), this.block.column(`end_${c}_${p}`)];
    const ends = new Uint32Array(walks.length);
    for (let at = 0, next = 0; at < walks.length; at++) if (this.tenths(walks[at]) !== null) ends[at] = arrived[next++];
    return ends;
  }

  patched(base, c, p, plan, of) {
    const span = plan < 0 ? null : this.plans[plan].spans.get(this.key(c, p));
    if (!span) return base;
    const after = Uint32Array.from(base);
    for (let at = span[0]; at < span[1]; at++) after[this.plans[plan].cell[at]] = this.plans[plan][of][at];
    return after;
  }

  /** A walk as tenths of a second; null where there is none. */
  tenths(walk) {
    return walk < this.about.reasons.length ? null : walk - this.about.reasons.length;
  }

  /** The first threshold that holds a walk, by the comparison of the engine; the number of thresholds for none. */
  band(walk) {
    const tenths = this.tenths(walk);
    if (tenths === null) return this.limits.length;
    const band = this.limits.findIndex((limit) => tenths <= limit);
    return band < 0 ? this.limits.length : band;
  }

  /** Tenths of people of each cell; under a scenario with those who move in. */
  people(g, plan = -1) {
    const now = this.block.column(`people_${g}`);
    const movers = plan < 0 ? [] : this.plans[plan].movers;
    if (!movers.length) return now;
    return this.once(`people ${g} ${plan}`, () => {
      const then = Uint32Array.from(now);
      const theirs = this.block.column(`plan_${plan}_people_${g}`);
      movers.forEach((cell, at) => (then[cell] = theirs[at]));
      return then;
    });
  }

  /** Tenths of people who are more under a scenario: those who move in. */
  moved(g, plan) {
    const [now, then] = [this.people(g), this.people(g, plan)];
    return [...this.plans[plan].movers].reduce((sum, cell) => sum + then[cell] - now[cell], 0);
  }

  /** Tenths of people of an area; a scenario tells them where it changes their coverage. */
  peopleOf(g, area, plan = -1) {
    for (let c = 0; plan >= 0 && c < this.about.classes.length; c++) {
      for (let p = 0; p < this.about.profiles.length; p++) {
        const at = this.plans[plan].rows.get(this.cover(c, g, p, 0, area));
        if (at !== undefined) return this.plans[plan].people[at];
      }
    }
    return this.block.column(`area_people_${g}`)[area];
  }

  cover(c, g, p, m, area) {
    const { groups, profiles, minutes } = this.about;
    return (((c * groups.length + g) * profiles.length + p) * minutes.length + m) * this.areas.id.length + area;
  }

  /** Coverage of an area in tenths of people and of per cents, and its class of colour; null where the page has none. */
  coverage(c, g, p, m, area, plan = -1) {
    const row = this.cover(c, g, p, m, area);
    const at = plan < 0 ? undefined : this.plans[plan].rows.get(row);
    const found = at === undefined ? this.asItIs(row, g, area) : this.planned(this.plans[plan], at);
    if (found.share < 1) return null;
    found.share = found.share < this.about.shares.length ? null : found.share - this.about.shares.length;
    return found;
  }

  planned(plan, at) {
    return { people: plan.people[at], covered: plan.covered[at], share: plan.share[at], kind: plan.kind[at] };
  }

  asItIs(row, g, area) {
    const covered = this.block.column("covered")[row];
    const all = this.block.column(`area_people_${g}`)[area];
    const share = this.told("told_share_row", "told_share").get(row) ?? this.shareOf(covered, all);
    const kind = this.told("told_kind_row", "told_kind").get(row) ?? this.kindOf(covered, all);
    return { people: all, covered, share, kind };
  }

  /** The class of a share: how many limits it is above. */
  kindOf(covered, all) {
    return this.about.share_breaks.filter((limit) => covered * 100 > limit * all).length;
  }

  /** Whether a scenario changes coverage of a class, though perhaps no walk: by who moves in, or by borders. */
  changesCoverage(c, g, p, plan) {
    const [first, end] = [this.cover(c, g, p, 0, 0), this.cover(c, g, p, this.about.minutes.length, 0)];
    for (const row of this.plans[plan].rows.keys()) if (row >= first && row < end) return true;
    return this.plans[plan].movers.length > 0;
  }

  shareOf(covered, all) {
    const { shares } = this.about;
    return all > 0 ? Math.floor((covered * 1000) / all + 0.5) + shares.length : shares.indexOf("nobody_lives_here");
  }

  /** Rows of coverage that are told one by one. */
  told(rows, values) {
    return this.once(rows, () => {
      const of = this.block.column(values);
      return new Map(Array.from(this.block.column(rows), (row, at) => [row, of[at]]));
    });
  }

  /** Tenths of people who are not covered for a reason of the network. */
  apart(reason, c, g, p, m, area) {
    return this.told(`${reason}_row`, `${reason}_people`).get(this.cover(c, g, p, m, area)) ?? 0;
  }

  /** Tenths of people of the whole city in each band: [in the first threshold, …, beyond all]. */
  bands(c, g, p, plan) {
    const { total } = plan < 0 ? this.about : this.plans[plan];
    const { groups, profiles, minutes } = this.about;
    const first = ((c * groups.length + g) * profiles.length + p) * minutes.length;
    return total.covered && total.covered[first] !== null
      ? this.bandsOfTotal(total, first)
      : this.bandsOfCells(c, g, p, plan);
  }

  bandsOfTotal({ covered, people: all }, first) {
    const upTo = [...this.about.minutes.map((_, m) => covered[first + m]), all[first]];
    return upTo.map((so_far, m) => so_far - (m ? upTo[m - 1] : 0));
  }

  bandsOfCells(c, g, p, plan) {
    const counts = new Array(this.limits.length + 1).fill(0);
    const [walks, who] = [this.walks(c, p, plan), this.people(g, plan)];
    for (let at = 0; at < walks.length; at++) counts[this.band(walks[at])] += who[at];
    return counts;
  }

  /** How a walk changes: a key of CHANGES. */
  change(before, after) {
    const [was, is] = [this.tenths(before), this.tenths(after)];
    if (was === null && is === null) return "change_none";
    if (was === null) return "change_new";
    if (is === null) return "change_lost";
    const minutes = (was - is) / 600;
    if (minutes < 0) return "change_longer";
    if (minutes === 0) return "change_none";
    return minutes > 5 ? "change_shorter_much" : minutes >= 2 ? "change_shorter_some" : "change_shorter_little";
  }

  cellAt(lon, lat) {
    if (!this.cells.ids.length) return -1;
    return this.cells.row.get(h3.latLngToCell(lat, lon, this.cells.resolution)) ?? -1;
  }

  areaAt(lon, lat, level, plan) {
    return this.outlines(plan).rowAt(lon, lat, (row) => this.areas.level[row] === this.levels[level]);
  }

  boxOfArea(area, plan) {
    const shapes = this.outlines(plan);
    return shapes
      .boxes()
      .filter((_, p) => shapes.row[p] === area)
      .reduce(around, NOWHERE);
  }

  nameOfArea(area) {
    return this.areas.name[area] ?? this.areas.id[area];
  }

  /** Places among all facilities of those that a class has under a scenario; one that it moves is where it is moved to. */
  doorsOf(c, plan) {
    const { first, plan: owner, id } = this.about.facilities;
    const closed = new Set(plan < 0 ? [] : this.plans[plan].closed);
    const places = new Map();
    for (let at = first[c]; at < first[c + 1]; at++) {
      if ((owner[at] === -1 && !closed.has(at)) || (plan >= 0 && owner[at] === plan)) places.set(id[at], at);
    }
    return [...places.values()];
  }

  facility(c, end) {
    return end ? this.about.facilities.first[c] + end - 1 : -1;
  }

  nameOfFacility(at) {
    const { name, id } = this.about.facilities;
    return at < 0 ? "" : name[at] || id[at];
  }
}

/** The hexagons of cells. */
function hexagons(ids) {
  const outlines = ids.map((id) => h3.cellToBoundary(id));
  const starts = new Uint32Array(ids.length + 1);
  outlines.forEach((outline, at) => (starts[at + 1] = starts[at] + outline.length + 1));
  const corners = new Float64Array(2 * starts[ids.length]);
  let to = 0;
  for (const outline of outlines) {
    for (let corner = 0; corner <= outline.length; corner++, to += 2) {
      [corners[to + 1], corners[to]] = outline[corner % outline.length];
    }
  }
  const every = Uint32Array.from({ length: ids.length + 1 }, (_, at) => at);
  const shapes = new Shapes(corners, starts, every, every.subarray(0, ids.length));
  shapes.apart = true;
  return shapes;
}

/** What changes a walk can have, from better to worse. */
const CHANGES = [
  "change_new",
  "change_shorter_much",
  "change_shorter_some",
  "change_shorter_little",
  "change_none",
  "change_longer",
  "change_lost",
];
