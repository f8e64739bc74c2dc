/** Hands on the map: drag, pinch, wheel, click and keys move a view. */

const STEP = 80;

class Gestures {
  constructor(place, view, { changed, picked, hovered }) {
    Object.assign(this, { place, view, changed, picked, hovered, fingers: new Map(), moved: 0 });
    place.addEventListener("pointerdown", (event) => this.down(event));
    place.addEventListener("pointermove", (event) => this.drag(event));
    place.addEventListener("pointerup", (event) => this.up(event));
    place.addEventListener("pointercancel", (event) => this.fingers.delete(event.pointerId));
    place.addEventListener("pointerleave", () => hovered(null));
    place.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    place.addEventListener("keydown", (event) => this.key(event));
  }

  at(event) {
    const box = this.place.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  down(event) {
    if (event.button !== 0) return;
    this.place.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, this.at(event));
    if (this.fingers.size === 1) this.moved = 0;
    this.place.classList.add("held");
  }

  drag(event) {
    const now = this.at(event);
    const was = this.fingers.get(event.pointerId);
    if (!was) {
      this.hovered(now);
      return;
    }
    const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) this.pinch(was, now, other);
    else this.view.move(was[0] - now[0], was[1] - now[1]);
    this.moved += Math.hypot(now[0] - was[0], now[1] - was[1]);
    this.fingers.set(event.pointerId, now);
    this.changed();
  }

  pinch(was, now, other) {
    const [before, after] = [was, now].map(([left, top]) => Math.hypot(left - other[0], top - other[1]));
    this.view.move((was[0] - now[0]) / 2, (was[1] - now[1]) / 2);
    if (before > 0 && after > 0)
      this.view.zoomAt(Math.log2(after / before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  }

  up(event) {
    const held = this.fingers.delete(event.pointerId);
    this.place.classList.remove("held");
    if (held && this.moved < 5) this.picked(this.at(event));
  }

  wheel(event) {
    event.preventDefault();
    const steps = -event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.002);
    this.view.zoomAt(Math.max(-1, Math.min(1, steps)), ...this.at(event));
    this.changed();
  }

  key(event) {
    const moves = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
    if (moves[event.key]) this.view.move(...moves[event.key]);
    else if (event.key === "+" || event.key === "=") this.view.zoomAt(0.5);
    else if (event.key === "-" || event.key === "_") this.view.zoomAt(-0.5);
    else if (event.key === "Home") this.view.goHome();
    else if (event.key === "Enter" || event.key === " ") this.picked([this.view.width / 2, this.view.height / 2]);
    else return;
    event.preventDefault();
    this.changed();
  }
}
