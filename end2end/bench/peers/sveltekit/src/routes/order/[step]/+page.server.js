import { error, redirect } from "@sveltejs/kit";
import { STEPS, check } from "$lib/rules.js";

const START = { system: "almalinux-9", panel: "", vcpu: 1, ram: 1, disk: 20, bandwidth: 100, name: "web-01", hostname: "web-01", login: "root", password: "" };
const read = (cookies) => ({ ...START, ...JSON.parse(cookies.get("draft") ?? "{}") });

export function load({ params, cookies }) {
  if (!STEPS.includes(params.step)) error(404);
  const values = read(cookies);
  return { step: params.step, values, errors: check(values) };
}

export const actions = {
  default: async ({ params, request, cookies }) => {
    const values = { ...read(cookies), ...Object.fromEntries(await request.formData()) };
    cookies.set("draft", JSON.stringify(values), { path: "/", secure: false });
    const next = STEPS[STEPS.indexOf(params.step) + 1] ?? "review";
    redirect(303, `/order/${next}`);
  },
};
