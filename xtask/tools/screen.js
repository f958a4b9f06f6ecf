// The screen of a server: the library that the page of the console alone loads.
import Screen from "@novnc/novnc";

window.SlipwayScreen = Screen;
window.dispatchEvent(new Event("slipway-screen"));
