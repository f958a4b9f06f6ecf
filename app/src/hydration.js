(() => {
  let begun;
  const start = async () => {
    if (begun) return;
    begun = true;
    const program = fetch("/pkg/slipway_bg.wasm");
    const glue = await import("/pkg/slipway.js");
    await glue.default({ module_or_path: program });
    glue.hydrate();
    const pause = () => new Promise((next) => setTimeout(next));
    for (const island of document.querySelectorAll("leptos-island")) {
      await pause();
      await glue[island.dataset.component]?.(island);
    }
    await pause();
    document.documentElement.classList.add("alive");
  };
  if (document.hidden) return start();
  new PerformanceObserver((_, seen) => (seen.disconnect(), start())).observe({ type: "paint", buffered: true });
  setTimeout(start, 1000);
})();
