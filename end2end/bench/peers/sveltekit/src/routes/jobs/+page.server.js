import { redirect } from "@sveltejs/kit";
import { page, viewer } from "$lib/db.js";

export function load({ cookies }) {
  const who = viewer(cookies.get("session"));
  if (!who) redirect(303, "/login");
  return { who, ...page() };
}
