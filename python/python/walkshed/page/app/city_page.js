/** The page of a city: the state of its controls, and what each of them changes. */

const LAYERS = ["minutes", "share", "score", "change"];

class CityPage {
  constructor(city, base) {
    this.city = city;
    this.state = this.firstState();
    this.paint = new CityPaint(city, base);
    this.evidence = new CityEvidence(city, this.paint, { select: (selected) => this.select(selected, true) });
    this.frame = new Frame({
      scene: (view) => this.paint.scene({ ...this.state, swipe: this.frame.swipe }, view),
      picked: (lon, lat) => this.pick(lon, lat),
      hovered: (lon, lat, at) => this.hovered(lon, lat, at),
      labels: () => this.labels(),
    });
    this.frame.view.home = city.home();
    this.frame.view.whole = city.box();
    this.frame.failed = () => this.tell();
    this.listen();
  }

  firstState() {
    const { first } = this.city.about;
    return {
      layer:
        this.city.cells.ids.length && this.city.about.whole
          ? "minutes"
          : this.city.cells.ids.length
            ? "change"
            : "share",
      c: first.c,
      m: first.m,
      p: 0,
      g: 0,
      level: this.city.firstLevel(),
      plan: this.city.about.whole ? -1 : 0,
      compare: "after",
      selected: null,
      doors: true,
      boundaries: true,
      streets: true,
      names: false,
    };
  }

  set(changes) {
    Object.assign(this.state, changes);
    if (this.state.plan < 0 && this.state.layer === "change") this.state.layer = "minutes";
    this.tell();
  }

  listen() {
    const numbers = { class: "c", profile: "p", group: "g", minutes: "m", level: "level" };
    for (const [id, name] of Object.entries(numbers)) {
      byId(id).addEventListener("change", (event) => this.set({ [name]: Number(event.target.value) }));
    }
    byId("layer").addEventListener("change", (event) => this.set({ layer: this.layers()[Number(event.target.value)] }));
    byId("scenario").addEventListener("change", (event) =>
      this.set({ plan: Number(event.target.value) - (this.city.about.whole ? 1 : 0) }),
    );
    for (const radio of document.querySelectorAll("input[name=compare]")) {
      radio.addEventListener("change", () => this.set({ compare: radio.value }));
    }
    for (const id of ["doors", "boundaries", "streets", "names"]) {
      byId(id).addEventListener("change", (event) => this.set({ [id]: event.target.checked }));
    }
    this.search = new Search(
      (text, most) => this.find(text, most),
      (found) => this.go(found),
    );
    byId("controls").addEventListener("submit", (event) => event.preventDefault());
  }

  layers() {
    const { city, state } = this;
    const can = {
      minutes: city.cells.ids.length > 0 && city.about.whole,
      share: city.shapes.count > 0,
      score: city.score !== null && city.shapes.count > 0,
      change: city.cells.ids.length > 0 && state.plan >= 0,
    };
    return LAYERS.filter((layer) => can[layer]);
  }

  /** Bring everything on the page to the state. */
  tell() {
    speak();
    this.controls();
    this.legend();
    byId("evidence").replaceChildren(...this.evidence.of(this.state).filter(Boolean));
    this.frame.draw();
  }

  controls() {
    const { city, state } = this;
    const { about } = city;
    const layers = this.layers();
    if (layers.length && !layers.includes(state.layer)) state.layer = layers[0];
    choices(
      "layer",
      layers.map((layer) => word(`layer_${layer}`)),
      layers.indexOf(state.layer),
    );
    choices("class", about.classes.map(called), state.c);
    choices("profile", about.profiles.map(called), state.p);
    choices("group", about.groups.map(called), state.g);
    choices(
      "minutes",
      about.minutes.map((n) => word("minutes_n", { n })),
      state.m,
    );
    choices(
      "level",
      city.levels.map((level) => city.nameOfLevel(level)),
      state.level,
    );
    const plans = city.plans.map((plan) => plan.name);
    choices(
      "scenario",
      about.whole ? [word("scenario_none"), ...plans] : plans,
      about.whole ? state.plan + 1 : state.plan,
    );
    for (const radio of document.querySelectorAll("input[name=compare]")) radio.checked = radio.value === state.compare;
    this.visible();
    this.title();
    this.gains();
    this.notes();
  }

  visible() {
    const { city, state } = this;
    const areas = city.shapes.count > 0;
    const shown = {
      "class-field": state.layer !== "score",
      "minutes-field": state.layer === "share",
      "profile-field": state.layer !== "score" && city.about.profiles.length > 1,
      "group-field": state.layer !== "score" && city.about.groups.length > 1,
      "level-field": areas && city.levels.length > 1,
      "scenario-field": city.plans.length > 0,
      "compare-field": state.plan >= 0 && ["minutes", "share"].includes(state.layer),
      "doors-field": city.about.facilities.placed && state.layer !== "score",
      "boundaries-field": areas && ["minutes", "change"].includes(state.layer),
      "names-field": areas,
      "streets-field": this.paint.base.streets.length > 0,
    };
    for (const [id, is] of Object.entries(shown)) byId(id).hidden = !is;
    document.querySelector(".pair").hidden = !shown["profile-field"] && !shown["group-field"];
    this.frame.showSwipe(shown["compare-field"] && state.compare === "swipe");
  }

  title() {
    byId("title").textContent = this.city.about.title;
    document.title = this.city.about.title;
    byId("subtitle").textContent = this.legendTitle();
    byId("credit").textContent = called(this.city.about.credit);
  }

  legendTitle() {
    const { about } = this.city;
    const { layer, c, p, g, m, plan } = this.state;
    const of = [word(`layer_${layer}`)];
    if (layer !== "score") of.push(called(about.classes[c]), called(about.profiles[p]));
    if (layer === "share") of.push(word("minutes_n", { n: about.minutes[m] }));
    if (layer !== "score") of.push(called(about.groups[g]));
    if (plan >= 0) of.push(this.city.plans[plan].name);
    return of.join(" · ");
  }

  gains() {
    const { plan, c, p, g } = this.state;
    const place = byId("gains");
    place.hidden = plan < 0;
    if (plan < 0) return;
    const { gains, cost_yuan: cost, edits } = this.city.plans[plan];
    const row = gains.find((one) => one[0] === c && one[1] === g && one[2] === p);
    const about = [word("edits_n", { n: edits })];
    if (cost > 0) about.push(word("cost", { n: words.language === "zh" ? number(cost / 1e4, 2) : number(cost, 0) }));
    const [up, down, minutes] = row ? row.slice(3).map((value) => number(value, 1)) : [];
    const of = called(this.city.about.classes[c]);
    const text = row ? word("gain_summary", { class: of, up, down, minutes }) : word("gain_none");
    place.replaceChildren(
      element("span", { class: "strong" }, about.join(" · ")),
      element("br"),
      element("span", {}, text),
    );
  }

  notes() {
    const keys = [...this.city.about.left_out, ...(this.city.about.whole ? [] : ["only_changed"])];
    if (!this.layers().length) keys.push("no_map");
    byId("notes").replaceChildren(...keys.map((key) => element("p", { class: "note", "data-note": key }, word(key))));
  }

  legend() {
    if (!this.layers().length) {
      drawLegend("", [], []);
      return;
    }
    const { layer } = this.state;
    drawLegend(this.legendHead(layer), this.paint.legend(this.state), this.paint.marks(this.state));
  }

  legendHead(layer) {
    const { about } = this.city;
    if (layer === "score") return word("layer_score");
    const of = [called(about.classes[this.state.c])];
    if (layer === "share") of.push(word("minutes_n", { n: about.minutes[this.state.m] }));
    of.push(called(about.profiles[this.state.p]));
    if (this.paint.planShown(this.state) >= 0 && layer !== "change") of.push(word("after"));
    return of.join(" · ");
  }

  pick(lon, lat) {
    const areas = ["share", "score"].includes(this.state.layer);
    const row = areas ? this.city.areaAt(lon, lat, this.state.level) : this.city.cellAt(lon, lat);
    this.select(row < 0 ? null : { kind: areas ? "area" : "cell", row });
    if (row < 0)
      byId("evidence").replaceChildren(element("p", { class: "hint" }, word(areas ? "no_area_here" : "no_cell_here")));
  }

  select(selected, show = false) {
    this.state.selected = selected;
    if (selected && show) this.showIt(selected);
    document.body.classList.toggle("asked", selected !== null);
    this.tell();
    byId("evidence").scrollTop = 0;
  }

  showIt({ kind, row }) {
    if (kind === "area" && this.city.shapes.count) {
      this.state.level = Math.max(0, this.city.levels.indexOf(this.city.areas.level[row]));
      const box = this.city.boxOfArea(row);
      if (box[0] <= box[2]) this.frame.view.fit(box, 60);
    } else if (kind === "cell") {
      this.frame.view.fit(this.city.cells.shapes.box(row), 60);
      this.frame.view.zoom = Math.min(this.frame.view.zoom, 14);
    }
  }

  find(text, most) {
    const { areas, cells, about } = this.city;
    const found = [];
    const look = (values, make) => {
      for (let at = 0; at < values.length && found.length < most; at++) {
        const made = make(at);
        if (made) found.push(made);
      }
    };
    const has = (name) => name?.toLowerCase().includes(text);
    look(
      areas.id,
      (at) =>
        (has(areas.name[at]) || has(areas.id[at])) && {
          text: this.city.nameOfArea(at),
          about: [areas.id[at], this.city.nameOfLevel(areas.level[at])].join(" · "),
          selected: { kind: "area", row: at },
        },
    );
    if (text.length > 6)
      look(
        cells.ids,
        (at) =>
          cells.ids[at].startsWith(text) && {
            text: cells.ids[at],
            about: word("cell"),
            selected: { kind: "cell", row: at },
          },
      );
    if (about.facilities.placed)
      look(
        about.facilities.id,
        (at) =>
          about.facilities.plan[at] < 0 &&
          (has(about.facilities.name[at]) || about.facilities.id[at].toLowerCase() === text) &&
          this.foundFacility(at),
      );
    return found;
  }

  foundFacility(at) {
    const { name, id, first } = this.city.about.facilities;
    const c = first.findIndex((from, n) => at >= from && at < first[n + 1]);
    return { text: name[at] || id[at], about: called(this.city.about.classes[c]), facility: at, c };
  }

  go(found) {
    if (found.selected) {
      this.select(found.selected, true);
      return;
    }
    const [lon, lat] = ["lon", "lat"].map((of) => this.city.doors[of][found.facility] / 1e6);
    this.frame.view.fit([lon, lat, lon, lat]);
    this.frame.view.zoom = 15;
    const row = this.city.cellAt(lon, lat);
    this.state.c = found.c;
    this.select(row < 0 ? null : { kind: "cell", row });
  }

  hovered(lon, lat, [left, top]) {
    const door = this.doorAt(left, top);
    if (door >= 0) return [this.city.nameOfFacility(door)];
    const { layer, c, p, g, m } = this.state;
    const plan = this.paint.planShown(this.state);
    if (["share", "score"].includes(layer)) {
      const area = this.city.areaAt(lon, lat, this.state.level);
      if (area < 0) return [];
      if (layer === "score") return [this.city.nameOfArea(area)];
      const row = this.city.coverage(c, g, p, m, area, plan);
      return [
        this.city.nameOfArea(area),
        row && row.share !== null ? `${fixed(row.share / 10)} %` : word("nobody_lives_here"),
      ];
    }
    const cell = this.city.cellAt(lon, lat);
    if (cell < 0) return [];
    const walk = this.city.walks(c, p, plan)[cell];
    const tenths = this.city.tenths(walk);
    const time = tenths === null ? this.evidence.reason(walk) : word("minutes_n", { n: fixed(tenths / 600) });
    return [time, word("people_n", { n: people(this.city.people(g)[cell]) })];
  }

  doorAt(left, top) {
    if (!this.state.doors || !this.city.about.facilities.placed || this.state.layer === "score") return -1;
    const near = (at) => {
      const [x, y] = this.frame.view.toScreen(this.city.doors.lon[at] / 1e6, this.city.doors.lat[at] / 1e6);
      return Math.hypot(x - left, y - top) < 7;
    };
    return this.city.doorsOf(this.state.c, this.paint.planShown(this.state)).find(near) ?? -1;
  }

  labels() {
    if (!this.state.names || !this.city.shapes.count) return [];
    return this.city.once(`labels ${this.state.level}`, () =>
      labelsOf(
        this.city.shapes,
        (row) => this.city.areas.level[row] === this.city.levels[this.state.level],
        (row) => this.city.nameOfArea(row),
      ),
    );
  }

  about() {
    const { about } = this.city;
    const inputs = Object.entries(about.inputs).map(([name, hash]) =>
      element("li", {}, `${name} `, element("code", {}, hash)),
    );
    return [
      element("p", {}, word("about_method")),
      this.city.shapes.count ? element("p", {}, word("about_outlines", { n: Math.round(about.areas.grid / 9) })) : null,
      element("p", {}, word("about_offline")),
      element("p", {}, word(this.frame.plain ? "about_plain" : "about_card")),
      inputs.length ? element("h3", {}, word("about_inputs")) : null,
      inputs.length ? element("ul", {}, ...inputs) : null,
    ];
  }
}

/** A name for the largest polygon of each row, at the middle of its corners. */
function labelsOf(shapes, allowed, nameOf) {
  const largest = new Map();
  shapes.boxes().forEach(([west, south, east, north], p) => {
    const row = shapes.row[p];
    if (!allowed(row)) return;
    const size = (east - west) * (north - south);
    if (!(largest.get(row)?.size >= size))
      largest.set(row, { row, size, lon: (west + east) / 2, lat: (south + north) / 2 });
  });
  return [...largest.values()]
    .sort((a, b) => b.size - a.size)
    .map(({ row, lon, lat }) => ({ text: nameOf(row), lon, lat }));
}
