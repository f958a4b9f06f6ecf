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
  if (document.hidden || !PerformanceObserver.supportedEntryTypes.includes("paint")) return start();
  const painted = (list) => list.getEntriesByName("first-contentful-paint").length && start();
  new PerformanceObserver(painted).observe({ type: "paint", buffered: true });
  setTimeout(start, 5000);
})();
