// The login page of the replica: a form that is drawn late, and a login with a fresh key. Invented but for the fields.
(() => {
  "use strict";
  const config = JSON.parse(document.getElementById("replica-config").textContent);
  const root = document.getElementById("root");

  const knownForm = `
    <form>
      <h1>로그인</h1>
      <input type="text" name="id" data-testid="id" placeholder="아이디를 입력해 주세요" autocomplete="off">
      <input type="password" name="password" data-testid="password" placeholder="비밀번호를 입력해 주세요">
      <div class="message"></div>
      <button type="submit">로그인</button>
    </form>`;
  const changedForm = `
    <section class="q81">
      <input class="q82" type="text" aria-label="계정">
      <input class="q83" type="password" aria-label="암호">
      <div class="message"></div>
      <div class="q84" role="button" tabindex="0">들어가기</div>
    </section>`;

  async function hide(value, text) {
    const algorithm = { name: "RSA-OAEP", hash: "SHA-256" };
    const spki = Uint8Array.from(atob(value), (char) => char.charCodeAt(0));
    const key = await crypto.subtle.importKey("spki", spki, algorithm, false, ["encrypt"]);
    const hidden = await crypto.subtle.encrypt(algorithm, key, new TextEncoder().encode(text));
    return btoa(String.fromCharCode(...new Uint8Array(hidden)));
  }

  function showCaptcha() {
    if (root.querySelector("iframe")) return;
    const frame = document.createElement("iframe");
    frame.title = "reCAPTCHA";
    frame.src = "/recaptcha/api2/anchor";
    root.append(frame);
  }

  function showError(text) {
    const box = root.querySelector(".message");
    box.setAttribute("role", "alert");
    box.textContent = text;
  }

  async function logIn(id, password) {
    const init = await (await fetch("/v1/login/init")).json();
    const { tag, value } = init.data;
    const response = await fetch("/v1/login", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        tag, account: await hide(value, id), secret: await hide(value, password), returnUrl: config.returnUrl,
      }),
    });
    const answer = await response.json();
    if (response.ok) location.href = answer.data.next;
    else if (answer.errorType === "CAPTCHA_REQUIRED") showCaptcha();
    else showError(answer.errorMessage);
  }

  function submit(button) {
    const [id, password] = root.querySelectorAll("input");
    button.setAttribute("disabled", "");
    logIn(id.value, password.value)
      .catch(() => showError("일시적인 오류가 발생했어요. 잠시 후 다시 시도해 주세요."))
      .finally(() => button.removeAttribute("disabled"));
  }

  function draw() {
    root.innerHTML = config.form === "changed" ? changedForm : knownForm;
    const form = root.querySelector("form");
    const button = root.querySelector("button, [role=button]");
    if (form) form.addEventListener("submit", (event) => { event.preventDefault(); submit(button); });
    else button.addEventListener("click", () => submit(button));
    if (config.captcha) showCaptcha();
  }

  if (config.bot === "webdriver" && navigator.webdriver === true) location.href = config.bridge;
  else if (config.form !== "none") setTimeout(draw, config.formMs);
  if (config.endlessMs) setTimeout(() => { const end = Date.now() + config.endlessMs; while (Date.now() < end); }, 0);
})();
