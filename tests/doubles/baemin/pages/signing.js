// The calls that a page of the owner site makes, each with a header of its own. Invented but for the header names.
window.ReplicaCalls = (config) => {
  "use strict";
  let count = 0;

  async function sign(path) {
    count += 1;
    const at = Date.now();
    const text = `${config.signing.key}|${count}|${at}|${path}`;
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    const hex = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return `${config.signing.page}-${count}|${at}|${hex}`;
  }

  return async function call(path, query) {
    const response = await fetch(`${config.api}${path}${query ? "?" + new URLSearchParams(query) : ""}`, {
      credentials: "include",
      headers: {
        "service-channel": "SELF_SERVICE_PC",
        "x-web-version": "v20990101000000",
        "x-pathname-trace-key": location.pathname,
        "x-e-request": await sign(path),
      },
    });
    if (response.status === 401) location.href = config.login;
    if (response.status === 403) location.href = "/bridge";
    if (!response.ok) throw new Error(`${response.status} ${path}`);
    return response.json();
  };
};
