/**
 * Two ways to draw one scene: with deck.gl where a graphics card draws WebGL 2, and on a plain canvas where none does
 * (old office computers, remote desktops). A scene is a list of items, lowest first:
 *   fill    { shapes, colours }           one colour (RGBA bytes) per polygon
 *   lines   { paths, colour, width }      paths: { corners, starts }
 *   points  { places, radius, fill, edge }
 * An item has an `id`, a `version` that changes when its colours do, and `clip`, [west, east], where it is cut.
 */

class DeckPainter {
  constructor(canvas, onFail) {
    this.clips = [new deck.ClipExtension()];
    this.deck = new deck.Deck({
      canvas,
      width: "100%",
      height: "100%",
      views: new deck.MapView({ id: "map", repeat: false }),
      controller: false,
      viewState: { longitude: 0, latitude: 0, zoom: 1 },
      deviceProps: { webgl: { preserveDrawingBuffer: true } },
      onError: onFail,
      layers: [],
    });
  }

  paint(view, scene) {
    this.deck.setProps({
      viewState: { longitude: view.lon, latitude: view.lat, zoom: view.zoom, pitch: 0, bearing: 0 },
      layers: scene.map((item) => this.layer(item)),
    });
  }

  /** Draw at once, not at the next frame. */
  now() {
    this.deck.redraw("print");
  }

  layer(item) {
    const cut = item.clip && {
      extensions: this.clips,
      clipBounds: [item.clip[0], -85, item.clip[1], 85],
      clipByInstance: false,
    };
    const common = { id: item.id, updateTriggers: { getFillColor: item.version }, ...cut };
    if (item.kind === "lines") return this.lines(item, common);
    if (item.kind === "points") return this.points(item, common);
    return this.fill(item, common);
  }

  fill({ shapes, colours }, common) {
    const colour = (_, { index, target }) => {
      for (let part = 0; part < 4; part++) target[part] = colours[4 * index + part];
      return target;
    };
    if (shapes.simple) {
      shapes.binary ??= {
        length: shapes.count,
        startIndices: shapes.starts,
        attributes: { getPolygon: { value: shapes.corners, size: 2 } },
      };
      return new deck.SolidPolygonLayer({ ...common, data: shapes.binary, _normalize: false, getFillColor: colour });
    }
    shapes.list ??= Array.from({ length: shapes.count }, (_, p) => shapes.rings(p).map(pairs));
    return new deck.SolidPolygonLayer({
      ...common,
      data: shapes.list,
      getPolygon: (rings) => rings,
      getFillColor: colour,
    });
  }

  lines({ paths, colour, width }, common) {
    paths.binary ??= {
      length: paths.starts.length - 1,
      startIndices: paths.starts,
      attributes: { getPath: { value: paths.corners, size: 2 } },
    };
    return new deck.PathLayer({
      ...common,
      data: paths.binary,
      _pathType: "open",
      positionFormat: "XY",
      widthUnits: "pixels",
      getWidth: width,
      getColor: colour,
      jointRounded: true,
      updateTriggers: { getWidth: width, getColor: colour.join() },
    });
  }

  points({ places, radius, fill, edge }, common) {
    return new deck.ScatterplotLayer({
      ...common,
      data: { length: places.length / 2, attributes: { getPosition: { value: places, size: 2 } } },
      radiusUnits: "pixels",
      getRadius: radius,
      stroked: true,
      lineWidthUnits: "pixels",
      getLineWidth: 1.5,
      getFillColor: fill,
      getLineColor: edge,
    });
  }
}

function pairs(ring) {
  const corners = [];
  for (let at = 0; at < ring.length; at += 2) corners.push([ring[at], ring[at + 1]]);
  return corners;
}

/**
 * On a plain canvas paths are kept in the plane of the map, so that a frame is a few calls. What takes long to draw is
 * not drawn at every step of a drag: the last picture moves along, and is drawn anew when the hand rests.
 */
class CanvasPainter {
  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.last = document.createElement("canvas");
    this.paths = new WeakMap();
    this.took = 0;
  }

  paint(view, scene) {
    this.sharp = window.devicePixelRatio || 1;
    const sizes = { width: Math.round(view.width * this.sharp), height: Math.round(view.height * this.sharp) };
    const moved = this.seen && (view.x !== this.seen.x || view.y !== this.seen.y || view.zoom !== this.seen.zoom);
    if (moved && this.took > SLOW_MS && this.canvas.width === sizes.width && this.canvas.height === sizes.height) {
      this.moveAlong(view, scene);
      return;
    }
    Object.assign(this.canvas, sizes);
    Object.assign(this.last, sizes);
    this.draw(view, scene);
  }

  moveAlong(view, scene) {
    clearTimeout(this.rest);
    this.rest = setTimeout(() => this.draw(view, scene), REST_MS);
    const grown = view.scale / this.seen.scale;
    const left = view.width / 2 + (this.seen.x - view.x) * view.scale - (view.width / 2) * grown;
    const top = view.height / 2 + (this.seen.y - view.y) * view.scale - (view.height / 2) * grown;
    clear(this.pen);
    this.pen.drawImage(
      this.last,
      left * this.sharp,
      top * this.sharp,
      this.last.width * grown,
      this.last.height * grown,
    );
  }

  draw(view, scene) {
    const began = performance.now();
    clearTimeout(this.rest);
    this.middle ??= [view.x, view.y];
    this.view = view;
    this.seen = { x: view.x, y: view.y, zoom: view.zoom, scale: view.scale };
    clear(this.pen);
    for (const item of scene) {
      this.pen.save();
      this.pen.setTransform(this.sharp, 0, 0, this.sharp, 0, 0);
      if (item.clip) this.cut(item.clip);
      this[item.kind](item);
      this.pen.restore();
    }
    const copy = this.last.getContext("2d");
    clear(copy);
    copy.drawImage(this.canvas, 0, 0);
    this.took = performance.now() - began;
  }

  cut(clip) {
    const [left, right] = clip.map((lon) => Math.min(this.view.width, Math.max(0, this.view.toScreen(lon, 0)[0])));
    this.pen.beginPath();
    this.pen.rect(left, 0, right - left, this.view.height);
    this.pen.clip();
  }

  /** Go from the plane of the map, around `middle`, to the screen. */
  ontoPlane() {
    const { view, middle } = this;
    this.pen.translate(
      view.width / 2 + (middle[0] - view.x) * view.scale,
      view.height / 2 + (middle[1] - view.y) * view.scale,
    );
    this.pen.scale(view.scale, view.scale);
  }

  fill({ shapes, colours }) {
    if (!this.paths.has(colours)) this.paths.set(colours, this.coloured(shapes, colours));
    this.ontoPlane();
    for (const [style, pieces] of this.paths.get(colours)) {
      this.pen.fillStyle = style;
      for (const path of pieces.within(this.view, this.middle)) this.pen.fill(path, "evenodd");
    }
  }

  /**
   * Paths with their colours, from below. Cells of one colour are drawn together: a city has thousands of them and a
   * handful of colours. Shapes that may lie over each other are drawn one by one: in one path they would make holes.
   */
  coloured(shapes, colours) {
    const [paths, last] = [[], new Map()];
    for (let p = 0; p < shapes.count; p++) {
      const colour = colours.subarray(4 * p, 4 * p + 4);
      if (colour[3] === 0) continue;
      const style = css(colour);
      if (!shapes.apart || !last.has(style)) {
        last.set(style, new Pieces(this.middle));
        paths.push([style, last.get(style)]);
      }
      last.get(style).add(shapes.rings(p));
    }
    return paths;
  }

  lines({ paths, colour, width }) {
    if (!this.paths.has(paths)) {
      const pieces = new Pieces(this.middle);
      for (let line = 0; line + 1 < paths.starts.length; line++) {
        pieces.add([paths.corners.subarray(2 * paths.starts[line], 2 * paths.starts[line + 1])]);
      }
      this.paths.set(paths, pieces);
    }
    this.ontoPlane();
    Object.assign(this.pen, { strokeStyle: css(colour), lineWidth: width / this.view.scale, lineJoin: "round" });
    for (const path of this.paths.get(paths).within(this.view, this.middle)) this.pen.stroke(path);
  }

  points({ places, radius, fill, edge }) {
    const path = new Path2D();
    for (let at = 0; at < places.length; at += 2) {
      const [left, top] = this.view.toScreen(places[at], places[at + 1]);
      path.moveTo(left + radius, top);
      path.arc(left, top, radius, 0, 2 * Math.PI);
    }
    Object.assign(this.pen, { fillStyle: css(fill), strokeStyle: css(edge), lineWidth: 1.5 });
    this.pen.fill(path);
    this.pen.stroke(path);
  }
}

/** Paths in pieces that lie together: a long path takes more than its pieces do, and what is off the screen nothing. */
class Pieces {
  constructor(middle) {
    Object.assign(this, { middle, all: [], room: 0 });
  }

  add(rings) {
    if (this.room <= 0) {
      this.all.push({ path: new Path2D(), box: [...NOWHERE] });
      this.room = CORNERS_OF_A_PIECE;
    }
    const { path, box } = this.all[this.all.length - 1];
    for (const ring of rings) {
      for (let at = 0; at < ring.length; at += 2) {
        const [x, y] = [toX(ring[at]) - this.middle[0], toY(ring[at + 1]) - this.middle[1]];
        if (at === 0) path.moveTo(x, y);
        else path.lineTo(x, y);
        box[0] = Math.min(box[0], x);
        box[1] = Math.min(box[1], y);
        box[2] = Math.max(box[2], x);
        box[3] = Math.max(box[3], y);
      }
      this.room -= ring.length / 2;
    }
  }

  within(view, middle) {
    const [wide, high] = [view.width / 2 / view.scale, view.height / 2 / view.scale];
    const [x, y] = [view.x - middle[0], view.y - middle[1]];
    const seen = ({ box }) => box[0] < x + wide && box[2] > x - wide && box[1] < y + high && box[3] > y - high;
    return this.all.filter(seen).map(({ path }) => path);
  }
}

function clear(pen) {
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, pen.canvas.width, pen.canvas.height);
}

const CORNERS_OF_A_PIECE = 2000;
const SLOW_MS = 30;
const REST_MS = 120;

const css = ([red, green, blue, alpha = 255]) => `rgba(${red},${green},${blue},${alpha / 255})`;

function rgba(hex, alpha = 255) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)).concat(alpha);
}

/** Paths around polygons, for borders. */
function bordersOf(shapes) {
  return { corners: shapes.corners, starts: shapes.starts };
}

/** Paths of the rings of some polygons. */
function pathsOf(rings) {
  const starts = new Uint32Array(rings.length + 1);
  rings.forEach((ring, r) => (starts[r + 1] = starts[r] + ring.length / 2));
  const corners = new Float64Array(2 * starts[rings.length]);
  rings.forEach((ring, r) => corners.set(ring, 2 * starts[r]));
  return { corners, starts };
}

/**
 * Whether a graphics card draws WebGL. Where the processor has to (no card, a remote desktop), deck.gl takes seconds for
 * a frame of streets and the plain canvas a tenth of one.
 */
function hasGraphicsCard() {
  try {
    const gl = document.createElement("canvas").getContext("webgl2", { failIfMajorPerformanceCaveat: true });
    if (!gl) return false;
    const named = gl.getExtension("WEBGL_debug_renderer_info");
    const card = gl.getParameter(named ? named.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
    return !/swiftshader|llvmpipe|softpipe|software|basic render/i.test(card);
  } catch {
    return false;
  }
}
