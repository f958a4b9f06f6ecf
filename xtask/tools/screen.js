// The screen of a server. The library that draws it is loaded by the page of the console alone, and after all else of that page:
// words and buttons are there first.
async function load() {
  const { default: Screen } = await import("@novnc/novnc");
  window.SlipwayScreen = Screen;
  window.dispatchEvent(new Event("slipway-screen"));
}

if (document.readyState === "complete") load();
else window.addEventListener("load", load, { once: true });
