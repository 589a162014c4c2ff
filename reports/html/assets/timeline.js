// Makes a drawn timeline zoomable: one plot for each curve, all over the same stretch of time.
(() => {
  "use strict";

  const UNITS = [["d", 86400, "h", 3600], ["h", 3600, "min", 60], ["min", 60, "s", 1]];
  // How far apart the marks of an axis may be: round in minutes and hours, and in KiB and MiB.
  const SECONDS = [
    ...[-9, -8, -7, -6, -5, -4, -3, -2, -1].flatMap((power) => [1, 2, 5].map((step) => step * 10 ** power)),
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200,
    ...[1, 2, 5, 10, 20, 50, 100].map((days) => days * 86400),
  ];
  const BYTES = Array.from({ length: 50 }, (_, power) => 2 ** power);
  const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
  const MARKS = {
    bookmark: ["\u25b2", "bookmark"],
    missed: ["\u2715", "bookmark that failed"],
    drill: ["\u25cb", "drill, recovered"],
    refused: ["\u25c7", "recovery refused or failed"],
    disaster: ["\u25a0", "disaster"],
  };

  function durationText(seconds) {
    if (seconds <= 0) return "0 s";
    if (seconds < 1) return `${Number((seconds * 1000).toPrecision(3))} ms`;
    if (seconds < 60) return `${Number(seconds.toPrecision(3))} s`;
    for (const [unit, size, smaller, smallerSize] of UNITS) {
      if (seconds < size) continue;
      const whole = Math.round(seconds / smallerSize);
      const rest = whole % (size / smallerSize);
      const first = Math.floor(whole / (size / smallerSize));
      return rest ? `${first} ${unit} ${rest} ${smaller}` : `${first} ${unit}`;
    }
    return "";
  }

  function sizeText(bytes) {
    let value = bytes;
    for (const unit of ["B", "KiB", "MiB", "GiB"]) {
      if (value < 1000) return `${Number(value.toPrecision(3))} ${unit}`;
      value /= 1024;
    }
    return `${Number(value.toPrecision(3))} TiB`;
  }

  const textOf = (panel, value) => (panel.unit === "s" ? durationText(value) : sizeText(value));

  // The first index whose time is later.
  function after(times, time) {
    let low = 0;
    let high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle] <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function valueAt(panel, time) {
    const right = after(panel.t, time);
    if (right === 0 || right === panel.t.length) {
      return right && panel.t[right - 1] === time ? panel.v[right - 1] : null;
    }
    const share = (time - panel.t[right - 1]) / (panel.t[right] - panel.t[right - 1]);
    return panel.v[right - 1] + share * (panel.v[right] - panel.v[right - 1]);
  }

  function highest(panel, from, to) {
    let found = Math.max(valueAt(panel, from) ?? 0, valueAt(panel, to) ?? 0);
    for (let index = after(panel.t, from); index < panel.t.length && panel.t[index] <= to; index += 1) {
      found = Math.max(found, panel.v[index]);
    }
    return found;
  }

  class Timeline {
    constructor(root) {
      this.root = root;
      this.data = JSON.parse(root.querySelector(".data").textContent);
      this.whole = [0, this.data.length];
      this.view = [...this.whole];
      this.plots = [];
      this.build();
      this.draw();
      this.tell();
    }

    color(name) {
      return getComputedStyle(this.root).getPropertyValue(`--${name}`).trim();
    }

    clock(time, isFine) {
      const moment = new Date((this.data.epoch + time) * 1000);
      const clock = moment.toISOString().slice(11, isFine ? 19 : 16);
      const isOfDays = (this.data.epoch % 86400) + this.data.length > 86400;
      return isOfDays ? `${moment.getUTCDate()} ${MONTHS[moment.getUTCMonth()]} ${clock}` : clock;
    }

    build() {
      const live = document.createElement("div");
      live.className = "live";
      const tools = document.createElement("div");
      tools.className = "tools";
      for (const [text, action] of [
        ["Zoom in", () => this.zoom(0.5)],
        ["Zoom out", () => this.zoom(2)],
        ["Earlier", () => this.move(-0.25)],
        ["Later", () => this.move(0.25)],
        ["Whole run", () => this.show(...this.whole)],
      ]) {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = text;
        button.addEventListener("click", action);
        tools.append(button);
      }
      this.told = document.createElement("output");
      this.area = document.createElement("div");
      this.area.className = "plots";
      this.area.tabIndex = 0;
      this.area.setAttribute("role", "group");
      this.area.setAttribute("aria-label",
        "Timeline. Plus and minus zoom, the arrow keys move, Home shows the whole run.");
      this.area.addEventListener("keydown", (event) => this.key(event));
      this.area.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
      const hint = document.createElement("p");
      hint.className = "hint";
      hint.textContent = "Drag over a stretch to zoom, double-click for the whole run; Ctrl and the wheel zoom too. "
        + "On the keyboard: plus, minus, arrows, Home.";
      live.append(tools, this.told, this.area, this.legend(), hint);
      this.root.append(live);
      this.root.classList.add("is-live");
    }

    legend() {
      const list = document.createElement("ul");
      list.className = "marks";
      const kinds = new Set(this.data.marks.map((mark) => mark[1]));
      for (const [kind, [sign, name]] of Object.entries(MARKS)) {
        if (!kinds.has(kind)) continue;
        const item = document.createElement("li");
        item.textContent = `${sign} ${name}`;
        list.append(item);
      }
      if (this.data.bands.length) {
        const item = document.createElement("li");
        item.textContent = "\u25a5 fault (shaded)";
        list.append(item);
      }
      return list;
    }

    draw() {
      for (const plot of this.plots) plot.destroy();
      this.area.replaceChildren();
      const { panels } = this.data;
      this.plots = panels.map((panel, index) => this.plot(panel, index));
      this.plots.push(this.lane());
    }

    options(height, extra) {
      const soft = this.color("soft");
      const rule = this.color("rule");
      const axis = { stroke: soft, grid: { stroke: rule, width: 1 }, ticks: { stroke: rule, width: 1 } };
      return {
        width: Math.max(240, this.area.clientWidth),
        height,
        legend: { show: false },
        tzDate: (stamp) => uPlot.tzDate(new Date(stamp * 1000), "Etc/UTC"),
        cursor: {
          y: false,
          sync: { key: this.root.id },
          drag: { x: true, y: false, setScale: false },
          bind: { dblclick: () => () => { this.show(...this.whole); return null; } },
        },
        scales: {
          x: { time: true, range: () => this.view.map((time) => this.data.epoch + time) },
          y: extra.scale,
        },
        axes: [
          { ...axis, space: this.area.clientWidth < 500 ? 58 : 90, size: extra.hasTimes ? 32 : 6,
            values: (plot, splits) => extra.hasTimes
              ? splits.map((stamp) => this.clock(stamp - this.data.epoch, this.view[1] - this.view[0] < 600))
              : splits.map(() => "") },
          { ...axis, size: 80, values: extra.values, incrs: extra.increments ?? [1] },
        ],
        hooks: {
          setSelect: [(plot) => this.select(plot)],
          draw: [(plot) => { this.bands(plot, extra.isFirst); extra.draw?.(plot); }],
          setCursor: extra.setCursor ? [extra.setCursor] : [],
        },
      };
    }

    plot(panel, index) {
      const label = document.createElement("p");
      label.className = "label";
      const value = document.createElement("span");
      value.setAttribute("aria-hidden", "true");
      label.append(panel.title, value);
      this.area.append(label);
      const stroke = this.color(panel.style);
      const dash = { any: [], app: [6, 2], backlog: [2, 2] }[panel.style];
      const options = this.options(130, {
        isFirst: index === 0,
        scale: { range: () => [0, (highest(panel, ...this.view) || 1) * 1.08] },
        values: (plot, splits) => splits.map((split) => textOf(panel, split)),
        increments: panel.unit === "s" ? SECONDS : BYTES,
        setCursor: (plot) => {
          const { left } = plot.cursor;
          if (left < 0) { value.textContent = ""; return; }
          const time = plot.posToVal(left, "x") - this.data.epoch;
          const found = valueAt(panel, time);
          value.textContent = found === null ? "" : `${textOf(panel, found)} at ${this.clock(time, true)}`;
        },
      });
      options.series = [{}, { stroke, width: 1.5, dash, fill: `${stroke}22`, points: { show: false } }];
      const canvas = document.createElement("div");
      canvas.setAttribute("aria-hidden", "true");
      this.area.append(canvas);
      return new uPlot(options, [panel.t.map((time) => time + this.data.epoch), panel.v], canvas);
    }

    lane() {
      const options = this.options(84, {
        hasTimes: true,
        scale: { range: () => [0, 1] },
        values: (plot, splits) => splits.map(() => ""),
        draw: (plot) => this.marks(plot),
      });
      options.series = [{}, { points: { show: false } }];
      const canvas = document.createElement("div");
      canvas.setAttribute("aria-hidden", "true");
      this.area.append(canvas);
      const ends = this.whole.map((time) => time + this.data.epoch);
      return new uPlot(options, [ends, [null, null]], canvas);
    }

    inside(plot, paint) {
      const { ctx, bbox } = plot;
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
      ctx.clip();
      paint(ctx, bbox, (time) => plot.valToPos(time + this.data.epoch, "x", true));
      ctx.restore();
    }

    bands(plot, isFirst) {
      this.inside(plot, (ctx, box, x) => {
        const ratio = window.devicePixelRatio || 1;
        ctx.font = `${12 * ratio}px system-ui, sans-serif`;
        ctx.textAlign = "left";
        ctx.textBaseline = "alphabetic";
        let lines = 0;
        for (const [from, to, text] of this.data.bands) {
          const left = x(from);
          const width = Math.max(x(to) - left, ratio);
          ctx.fillStyle = `${this.color("band")}22`;
          ctx.fillRect(left, box.top, width, box.height);
          ctx.strokeStyle = this.color("band");
          ctx.lineWidth = ratio;
          ctx.setLineDash([3 * ratio, 3 * ratio]);
          ctx.strokeRect(left, box.top, width, box.height);
          if (!isFirst || left + width < box.left || left > box.left + box.width) continue;
          const wide = ctx.measureText(text).width + 8 * ratio;
          const isLate = left + wide > box.left + box.width;
          const start = isLate ? left - wide : Math.max(left, box.left);
          ctx.fillStyle = this.color("paper");
          ctx.fillRect(start + ratio, box.top + 16 * lines * ratio + ratio, wide - 2 * ratio, 15 * ratio);
          ctx.fillStyle = this.color("ink");
          ctx.fillText(text, start + 4 * ratio, box.top + (16 * lines + 13) * ratio);
          lines = (lines + 1) % 4;
        }
        ctx.setLineDash([]);
        ctx.lineWidth = 2 * ratio;
        ctx.strokeStyle = this.color("ink");
        for (const [at, kind] of this.data.marks) {
          if (kind !== "disaster") continue;
          ctx.beginPath();
          ctx.moveTo(x(at), box.top);
          ctx.lineTo(x(at), box.top + box.height);
          ctx.stroke();
        }
      });
    }

    marks(plot) {
      const rows = { bookmark: 0.2, missed: 0.2, drill: 0.5, refused: 0.5, disaster: 0.82 };
      const colors = { bookmark: "app", missed: "missed", drill: "any", refused: "missed", disaster: "ink" };
      this.inside(plot, (ctx, box, x) => {
        const ratio = window.devicePixelRatio || 1;
        ctx.font = `${13 * ratio}px system-ui, sans-serif`;
        ctx.textAlign = "center";
        ctx.textBaseline = "middle";
        for (const [at, kind] of this.data.marks) {
          ctx.fillStyle = this.color(colors[kind]);
          ctx.fillText(MARKS[kind][0], x(at), box.top + box.height * rows[kind]);
        }
      });
    }

    select(plot) {
      const { left, width } = plot.select;
      if (width < 4) return;
      const from = plot.posToVal(left, "x") - this.data.epoch;
      const to = plot.posToVal(left + width, "x") - this.data.epoch;
      for (const other of this.plots) other.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      this.show(from, to);
    }

    show(from, to) {
      const [start, end] = this.whole;
      const length = Math.min(end - start, Math.max(to - from, Math.min(0.01, end - start)));
      const left = Math.min(Math.max(from, start), end - length);
      this.view = [left, left + length];
      for (const plot of this.plots) {
        plot.setScale("x", { min: this.data.epoch + left, max: this.data.epoch + left + length });
      }
      this.tell();
    }

    zoom(factor, at) {
      const [from, to] = this.view;
      const middle = at ?? (from + to) / 2;
      this.show(middle - (middle - from) * factor, middle + (to - middle) * factor);
    }

    move(share) {
      const [from, to] = this.view;
      const step = (to - from) * share;
      this.show(from + step, to + step);
    }

    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const actions = {
        "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2),
        ArrowLeft: () => this.move(-0.25), ArrowRight: () => this.move(0.25),
        Home: () => this.show(...this.whole), 0: () => this.show(...this.whole),
      };
      if (!(event.key in actions)) return;
      event.preventDefault();
      actions[event.key]();
    }

    wheel(event) {
      if (!event.ctrlKey) return;
      event.preventDefault();
      const plot = this.plots[0];
      const box = plot.over.getBoundingClientRect();
      const at = plot.posToVal(event.clientX - box.left, "x") - this.data.epoch;
      this.zoom(event.deltaY < 0 ? 0.8 : 1.25, at);
    }

    tell() {
      const [from, to] = this.view;
      const isFine = to - from < 600;
      const parts = this.data.panels.map((panel) => `${panel.title} up to ${textOf(panel, highest(panel, from, to))}`);
      this.told.textContent = `${this.clock(from, isFine)} to ${this.clock(to, isFine)}. ${parts.join("; ")}.`;
      this.root.dataset.from = from.toFixed(3);
      this.root.dataset.to = to.toFixed(3);
    }
  }

  const timelines = [...document.querySelectorAll(".timeline")].map((root) => new Timeline(root));
  const redraw = () => timelines.forEach((timeline) => timeline.draw());
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    redraw();
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll("details").forEach((element) => { element.open = true; });
  });
})();
