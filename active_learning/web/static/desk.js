"use strict";
// The labelling page: draws the light curve, turns keys into clicks, says whether a label is saved.

const view = { scale: localStorage.getItem("scale") || "flux", limits: localStorage.getItem("limits") !== "no", history: false };
const dark = matchMedia("(prefers-color-scheme: dark)");
const narrow = matchMedia("(max-width: 1000px)");
let figure = null;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const transparent = (hex, alpha) => hex + Math.round(alpha * 255).toString(16).padStart(2, "0");
const pick = (list, keep) => list.filter((_, i) => keep[i]);

// ---- light curve ---------------------------------------------------------------------------------------

async function load() {
  const chart = document.getElementById("chart");
  figure = null;
  if (!chart || chart.dataset.asked) return;
  chart.dataset.asked = "yes";
  const source = chart.dataset.src;
  try {
    const answer = await fetch(source, { headers: { accept: "application/json" } });
    const found = answer.ok || answer.status === 404 ? await answer.json() : { error: await answer.text() };
    if (!chart.isConnected) return;
    if (found.error) return say(chart, "No light curve: " + found.error);
    figure = found;
    draw();
  } catch (error) {
    if (chart.isConnected) say(chart, "No light curve: " + error.message);
  }
}

function say(chart, text) {
  const p = document.createElement("p");
  p.className = "broken";
  p.textContent = text;
  chart.replaceChildren(p);
}

function traces() {
  const made = [];
  for (const band of figure.bands) {
    const paint = dark.matches ? band.dark_colour : band.colour;
    if (band.process) made.push(...process(band, paint));
  }
  for (const band of figure.bands) made.push(...points(band, dark.matches ? band.dark_colour : band.colour));
  return made;
}

function process(band, paint) {
  const p = band.process, flux = view.scale === "flux";
  const low = flux ? p.flux_low : p.magnitude_faint, high = flux ? p.flux_high : p.magnitude_bright;
  const common = { x: p.mjd, mode: "lines", legendgroup: band.band, showlegend: false, hoverinfo: "skip", connectgaps: false };
  const edge = { ...common, line: { width: 0, color: paint } };
  return [
    { ...edge, y: high },
    { ...edge, y: low, fill: "tonexty", fillcolor: transparent(paint, 0.1) },
    { ...common, y: flux ? p.flux : p.magnitude, line: { width: 1.4, color: paint, dash: band.dash } },
  ];
}

function points(band, paint) {
  const p = band.points, flux = view.scale === "flux";
  const faint = p.magnitude.map((m) => m === null);
  const seen = p.detection.map((d, i) => d && (flux || !faint[i]));
  const forced = p.detection.map((d, i) => !d && !faint[i]);
  const limits = p.detection.map((d, i) => faint[i] && (flux ? !d : true));
  const value = flux ? p.flux : p.magnitude, error = flux ? p.flux_error : p.magnitude_error;
  const trace = (keep, name, marker, extra) => ({
    x: pick(p.mjd, keep), y: pick(value, keep), customdata: pick(p.utc, keep), legendgroup: band.band, mode: "markers", name: band.band,
    showlegend: false, marker: { size: 8, color: paint, ...marker },
    error_y: { type: "data", array: pick(error, keep), color: paint, thickness: 1.1, width: 0 },
    hovertemplate: hover(band.band, name, flux), ...extra,
  });
  const open = { symbol: band.symbol + "-open", size: 7, line: { width: 1.4, color: paint } };
  const made = [
    trace(seen, "detection", { symbol: band.symbol, line: { width: 0.6, color: colour("--card") } }, {}),
    trace(forced, "forced photometry", open, {}),
  ];
  if (view.limits) {
    const dim = { opacity: 0.55 };
    if (flux) made.push(trace(limits, "forced photometry, below 3 σ", open, dim));
    else made.push({ ...trace(limits, "3 σ upper limit", { symbol: "arrow-down-open", size: 8, line: { width: 1.3, color: paint } }, dim),
      y: pick(p.limit, limits), error_y: undefined, hovertemplate: hover(band.band, "3 σ upper limit", false, true) });
  }
  made.push({ x: [null], y: [null], mode: "lines+markers", name: band.band, legendgroup: band.band, hoverinfo: "skip",
    marker: { size: 8, color: paint, symbol: band.symbol }, line: { width: 1.4, color: paint, dash: band.dash } });
  return made;
}

function hover(band, what, flux, limit) {
  const value = flux ? "%{y:,.0f} ± %{error_y.array:,.0f} nJy" : limit ? "fainter than %{y:.2f} mag" : "%{y:.2f} ± %{error_y.array:.2f} mag";
  return `<b>${band}</b> ${what}<br>${value}<br>%{customdata} UTC<br>MJD %{x:.4f} TAI<extra></extra>`;
}

function range() {
  const flux = view.scale === "flux", [from, to] = view.history ? figure.extent_mjd : figure.window_mjd;
  let low = Infinity, high = -Infinity;
  const take = (v, e) => { if (v !== null && isFinite(v)) { low = Math.min(low, v - e); high = Math.max(high, v + e); } };
  for (const { points: p, process: g } of figure.bands) {
    p.mjd.forEach((t, i) => {
      if (t < from || t > to) return;
      const faint = p.magnitude[i] === null;
      if (faint && !view.limits && !(flux && p.detection[i])) return;
      if (flux) take(p.flux[i], Math.min(p.flux_error[i], Math.abs(p.flux[i]) + 1e9));
      else if (faint) take(p.limit[i], 0);
      else take(p.magnitude[i], Math.min(p.magnitude_error[i], 0.5));
    });
    // Of a magnitude's band only the bright edge: the faint one goes to infinity where the flux may be zero.
    if (g) for (const line of flux ? [g.flux_low, g.flux_high] : [g.magnitude, g.magnitude_bright])
      g.mjd.forEach((t, i) => { if (t >= from && t <= to) take(line[i], 0); });
  }
  if (!isFinite(low)) [low, high] = flux ? [-1, 1] : [18, 24];
  const pad = 0.07 * (high - low || 1);
  return flux ? [low - pad, high + pad] : [high + pad, low - pad];
}

function draw() {
  const chart = document.getElementById("chart");
  if (!chart || !figure) return;
  if (!window.Plotly) return document.getElementById("plotly").addEventListener("load", draw, { once: true });
  const flux = view.scale === "flux", soft = colour("--soft"), ink = colour("--ink"), grid = colour("--grid");
  const axis = { gridcolor: grid, linecolor: grid, zerolinecolor: colour("--line"), zerolinewidth: 1, tickfont: { color: soft }, title: { font: { color: soft, size: 12 } }, automargin: true };
  const plain = { tickformat: ".6~f" }; // as many decimals as tell two ticks apart, at any zoom
  const layout = {
    margin: { l: 60, r: 28, t: narrow.matches ? 50 : 30, b: 42 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", hovermode: "closest",
    font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: ink }, dragmode: narrow.matches ? false : "zoom",
    legend: { orientation: "h", x: 1, xanchor: "right", y: 1.01, yanchor: "bottom", font: { size: 13 }, itemwidth: narrow.matches ? 30 : 40 },
    hoverlabel: { bgcolor: colour("--card"), bordercolor: soft, font: { color: ink } },
    xaxis: { ...axis, title: { ...axis.title, text: "MJD (TAI)" }, range: view.history ? figure.extent_mjd : figure.window_mjd, ...plain, zeroline: false, nticks: narrow.matches ? 5 : 9 },
    yaxis: { ...axis, title: { ...axis.title, text: flux ? "difference flux (nJy)" : "magnitude (AB)" }, range: range(), zeroline: flux, ...(flux ? { tickformat: "~s" } : plain) },
    shapes: [{ type: "line", x0: figure.alert_mjd, x1: figure.alert_mjd, yref: "paper", y0: 0, y1: 1, line: { color: soft, width: 1, dash: "dot" } }],
    annotations: [{ x: figure.alert_mjd, yref: "paper", y: 1, yanchor: "top", xanchor: "right", text: "this alert", showarrow: false, font: { size: 11, color: soft } }],
  };
  document.getElementById("chart-counts").textContent =
    `${figure.n_detections} detection${figure.n_detections === 1 ? "" : "s"} (filled), ${figure.n_points - figure.n_detections} forced (open) · lines and shading: Gaussian process, 68 %`;
  chart.querySelector("p")?.remove();
  Plotly.react(chart, traces(), layout, { displaylogo: false, displayModeBar: narrow.matches ? false : "hover", scrollZoom: false,
    modeBarButtons: [["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d", "toImage"]], doubleClick: "reset" });
  watch(chart);
  chart.dataset.drawn = chart.dataset.src;
  for (const button of document.querySelectorAll("[data-scale]")) button.setAttribute("aria-pressed", String(button.dataset.scale === view.scale));
  for (const button of document.querySelectorAll("[data-toggle]")) button.setAttribute("aria-pressed", String(view[button.dataset.toggle]));
}

// The chart's box changes with banners, too, not only with the window.
const boxes = new ResizeObserver(() => requestAnimationFrame(() => {
  const chart = document.getElementById("chart");
  if (chart?.dataset.drawn && chart.clientHeight) Plotly.Plots.resize(chart);
}));

function watch(chart) { boxes.disconnect(); boxes.observe(chart); }

function setScale(scale) { view.scale = scale; localStorage.setItem("scale", scale); draw(); }
function toggle(name) {
  view[name] = !view[name];
  if (name === "limits") localStorage.setItem("limits", view.limits ? "yes" : "no");
  draw();
}

// ---- queue, keys, saving -------------------------------------------------------------------------------

function markCurrent() {
  const here = document.getElementById("object")?.dataset.request;
  for (const link of document.querySelectorAll("#queue-list a")) {
    if (link.dataset.request === here) { link.setAttribute("aria-current", "true"); link.scrollIntoView({ block: "nearest" }); }
    else link.removeAttribute("aria-current");
  }
}

function move(step) {
  const links = [...document.querySelectorAll("#queue-list a")];
  const at = links.findIndex((link) => link.hasAttribute("aria-current"));
  links[Math.min(Math.max(at + step, 0), links.length - 1)]?.click();
}

function fail(text, passes = false) {
  const box = document.getElementById("failure");
  box.textContent = text;
  box.hidden = !text;
  box.toggleAttribute("data-passes", passes);
}

document.addEventListener("keydown", (event) => {
  if (!document.body.dataset.ready || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const typing = event.target.matches("input, textarea, select");
  if (typing) { if (event.key === "Escape" || event.key === "Enter") { event.preventDefault(); event.target.blur(); } return; }
  const key = event.key.toLowerCase();
  if (event.key === "ArrowRight" || event.key === "ArrowLeft") { event.preventDefault(); return move(event.key === "ArrowRight" ? 1 : -1); }
  if (key === "b") return setScale(view.scale === "flux" ? "magnitude" : "flux");
  if (key === "/") { event.preventDefault(); return document.querySelector("[data-note]")?.focus(); }
  const button = [...document.querySelectorAll("button[data-key]")].find((one) => one.dataset.key === key);
  if (!button || button.disabled || (button.form && document.body.hasAttribute("data-saving"))) return;
  event.preventDefault();
  button.classList.add("pressed");
  button.click();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.scale) setScale(button.dataset.scale);
  if (button?.dataset.toggle) toggle(button.dataset.toggle);
});

// After the swap the form has left the page, and the event comes from what stands there now.
const saves = (event) => (event.detail.requestConfig?.elt || event.detail.elt).matches("[data-saves]");
document.addEventListener("htmx:confirm", (event) => { if (saves(event) && document.body.hasAttribute("data-saving")) event.preventDefault(); });
document.addEventListener("htmx:beforeRequest", (event) => {
  if (!saves(event)) return;
  document.body.setAttribute("data-saving", "");
  fail("");
  const p = document.createElement("p");
  p.textContent = "Saving …";
  document.getElementById("status").replaceChildren(p);
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful && document.getElementById("failure").hasAttribute("data-passes")) fail("");
  if (!saves(event)) return;
  document.body.removeAttribute("data-saving");
  if (event.detail.successful) return;
  document.getElementById("status").replaceChildren();
  for (const button of document.querySelectorAll(".pressed")) button.classList.remove("pressed");
});
document.addEventListener("htmx:responseError", (event) => {
  const text = event.detail.xhr.responseText;
  fail(saves(event) && !/not saved|nothing of yours/i.test(text) ? "NOT saved: " + text : text);
});
document.addEventListener("htmx:sendError", (event) => fail((saves(event) ? "NOT saved: t" : "T") + "he server does not answer; see whether `gueststar label` still runs.", !saves(event)));
document.addEventListener("htmx:afterSettle", (event) => {
  markCurrent();
  if (event.detail.target.id !== "object") return;
  const link = document.getElementById("queue");
  if (narrow.matches) { link.removeAttribute("open"); scrollTo(0, 0); }
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "object") return;
  fail(""); // it was about the object before
  load();
});

function fold() { document.getElementById("queue")?.toggleAttribute("open", !narrow.matches); }
narrow.addEventListener("change", () => { fold(); draw(); });
dark.addEventListener("change", draw);
document.addEventListener("DOMContentLoaded", () => { fold(); markCurrent(); load(); document.body.dataset.ready = "yes"; });
