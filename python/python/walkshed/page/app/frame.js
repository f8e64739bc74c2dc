/** The map and what lies over it: painter, gestures, names, scale, swipe; the same for every kind of page. */

class Frame {
  constructor({ scene, picked, hovered, labels }) {
    Object.assign(this, { scene, picked, hovered, labels });
    this.view = new View();
    this.swipe = 0.5;
    this.painter = this.makePainter();
    this.gestures = new Gestures(byId("map"), this.view, {
      changed: () => this.draw(),
      picked: (at) => picked(...this.view.fromScreen(...at)),
      hovered: (at) => this.hover(at),
    });
    this.buttons();
    this.handle();
    new ResizeObserver(() => this.resize()).observe(byId("stage"));
    for (const [event, is] of [
      ["beforeprint", true],
      ["afterprint", false],
    ]) {
      window.addEventListener(event, () => this.print(is));
    }
  }

  makePainter() {
    if (hasGraphicsCard()) return new DeckPainter(byId("picture"), (error) => this.fallBack(error));
    this.plain = true;
    return new CanvasPainter(byId("picture"));
  }

  /** WebGL was there and broke (a lost device, a driver that is refused): draw on a fresh canvas, the plain way. */
  fallBack(error) {
    if (this.plain) return;
    console.warn(error);
    this.plain = true;
    const canvas = byId("picture");
    const fresh = element("canvas", { id: "picture" });
    canvas.replaceWith(fresh);
    this.painter = new CanvasPainter(fresh);
    this.draw();
    this.failed?.();
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = byId("map");
    if (!width || !height) return;
    const first = this.view.width === 1;
    Object.assign(this.view, { width, height });
    if (first) this.view.goHome();
    this.draw();
  }

  /** Draw at once in the size of the paper, around the same middle, and afterwards as before. */
  print(on) {
    const before = [this.view.width, this.view.height];
    document.body.classList.toggle("printing", on);
    const { clientWidth: width, clientHeight: height } = byId("map");
    this.view.zoom += Math.log2(Math.min(width / before[0], height / before[1]));
    Object.assign(this.view, { width, height });
    this.paint();
    this.painter.now?.();
  }

  draw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      if (this.view.width > 1) this.paint();
    });
  }

  paint() {
    this.painter.paint(this.view, this.scene(this.view));
    this.drawNames();
    this.drawScale();
    this.placeHandle();
  }

  buttons() {
    const act = (id, what) =>
      byId(id).addEventListener("click", () => {
        what();
        this.draw();
      });
    act("zoom-in", () => this.view.zoomAt(0.7));
    act("zoom-out", () => this.view.zoomAt(-0.7));
    act("zoom-home", () => this.view.goHome());
  }

  hover(at) {
    const tip = byId("tip");
    const lines = at && this.hovered(...this.view.fromScreen(...at), at);
    tip.hidden = !lines?.length;
    if (tip.hidden) return;
    tip.replaceChildren(...lines.map((line) => element("div", {}, line)));
    tip.style.left = `${Math.min(at[0] + 14, this.view.width - tip.offsetWidth - 4)}px`;
    tip.style.top = `${Math.min(at[1] + 14, this.view.height - tip.offsetHeight - 4)}px`;
  }

  /** Names where there is room for them. */
  drawNames() {
    const sharp = window.devicePixelRatio || 1;
    const canvas = byId("over");
    canvas.width = Math.round(this.view.width * sharp);
    canvas.height = Math.round(this.view.height * sharp);
    const pen = canvas.getContext("2d");
    pen.scale(sharp, sharp);
    Object.assign(pen, {
      font: `12px ${getComputedStyle(document.body).fontFamily}`,
      textAlign: "center",
      textBaseline: "middle",
      lineWidth: 3,
      strokeStyle: "rgba(255,255,255,0.9)",
      fillStyle: "#1f2937",
      lineJoin: "round",
    });
    const taken = [];
    for (const { text, lon, lat } of this.labels()) {
      const [left, top] = this.view.toScreen(lon, lat);
      const half = pen.measureText(text).width / 2 + 4;
      const box = [left - half, top - 9, left + half, top + 9];
      if (left < 0 || top < 0 || left > this.view.width || top > this.view.height) continue;
      if (taken.some((other) => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1]))
        continue;
      taken.push(box);
      pen.strokeText(text, left, top);
      pen.fillText(text, left, top);
    }
  }

  drawScale() {
    const most = this.view.metresPerPixel() * 120;
    const power = 10 ** Math.floor(Math.log10(most));
    const length = [5, 2, 1].map((step) => step * power).find((metres) => metres <= most);
    byId("scale-text").textContent = length < 1000 ? `${length} m` : `${length / 1000} km`;
    byId("scale-bar").style.width = `${length / this.view.metresPerPixel()}px`;
  }

  handle() {
    const handle = byId("handle");
    const to = (share) => {
      this.swipe = Math.min(1, Math.max(0, share));
      this.draw();
    };
    handle.addEventListener("pointerdown", (event) => handle.setPointerCapture(event.pointerId));
    handle.addEventListener("pointermove", (event) => {
      if (handle.hasPointerCapture(event.pointerId))
        to((event.clientX - byId("map").getBoundingClientRect().left) / this.view.width);
    });
    handle.addEventListener("keydown", (event) => {
      const steps = {
        ArrowLeft: -0.02,
        ArrowDown: -0.02,
        ArrowRight: 0.02,
        ArrowUp: 0.02,
        PageDown: -0.1,
        PageUp: 0.1,
        Home: -1,
        End: 1,
      };
      if (!(event.key in steps)) return;
      event.preventDefault();
      to(this.swipe + steps[event.key]);
    });
  }

  placeHandle() {
    const handle = byId("handle");
    handle.style.left = `${this.swipe * 100}%`;
    handle.setAttribute("aria-valuenow", String(Math.round(this.swipe * 100)));
  }

  showSwipe(shown) {
    for (const id of ["handle", "side-before", "side-after"]) byId(id).hidden = !shown;
  }
}

/** Fill a select with choices, and keep what is chosen. */
function choices(id, texts, chosen) {
  const select = byId(id);
  select.replaceChildren(...texts.map((text, n) => element("option", { value: String(n) }, text)));
  select.value = String(chosen);
}

function drawLegend(title, rows, marks) {
  byId("legend-title").textContent = title;
  const parts = (row) => [
    swatch(row.colour),
    element("span", { class: "text" }, row.text),
    element("span", { class: "count" }, row.count ?? ""),
    element("span", { class: "part" }, row.part ?? ""),
  ];
  byId("legend-rows").replaceChildren(...rows.map((row) => element("li", {}, ...parts(row))));
  byId("legend-marks").replaceChildren(
    ...marks.map((mark) =>
      element("li", {}, swatch(mark.colour, mark.kind), element("span", { class: "text" }, mark.text)),
    ),
  );
}
