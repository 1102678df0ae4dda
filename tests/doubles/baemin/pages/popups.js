// Popups over the owner pages. Known: roles, test id of the backdrop, words of the buttons. The rest is invented.
window.ReplicaPopups = (config) => {
  "use strict";
  const TODAY = "오늘 하루 보지 않기";

  const hidden = (name) => document.cookie.split("; ").includes(`replica_hide_${name}=1`);
  const hide = (name) => { document.cookie = `replica_hide_${name}=1; path=/; max-age=43200`; };

  const stack = [];
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && stack.length && stack[stack.length - 1].escape) stack[stack.length - 1].close();
  });

  function layer(dialog, { escape, backdrop }) {
    const box = document.createElement("div");
    const level = 1000 + 2 * stack.length;
    box.innerHTML = `
      <div data-testid="backdrop" style="position:fixed;inset:0;z-index:${level};background:rgba(0,0,0,.5)"></div>
      <div style="position:fixed;z-index:${level + 1};left:30%;top:20%;width:40%;background:#fff">${dialog}</div>`;
    const entry = { escape, close: () => { box.remove(); stack.splice(stack.indexOf(entry), 1); } };
    if (backdrop) box.querySelector("[data-testid=backdrop]").addEventListener("click", entry.close);
    stack.push(entry);
    document.body.append(box);
    return { box, close: entry.close };
  }

  function open(name, { today = true, x = true, escape = true, backdrop = true } = {}) {
    if (hidden(name)) return;
    const { box, close } = layer(`
      <div role="dialog" aria-modal="true" aria-label="모형 안내 ${name}">
        <h2>모형 이벤트 ${name}</h2><p>이 안내는 지어낸 것입니다.</p>
        ${today ? `<button type="button" class="today">${TODAY}</button>` : ""}
        ${x ? `<button type="button" class="x" aria-label="닫기">X</button>` : ""}
      </div>`, { escape, backdrop });
    box.querySelector(".x")?.addEventListener("click", close);
    box.querySelector(".today")?.addEventListener("click", () => { hide(name); close(); });
  }

  function openGuide() {
    const { box, close } = layer(`
      <section class="bsds-modal PopupGuide-module__k2d1">
        <h2>새로워진 모형 화면</h2><button type="button" aria-label="닫기">✕</button>
      </section>`, { escape: false, backdrop: false });
    box.querySelector("button").addEventListener("click", close);
  }

  function openPeriod() {
    const dialog = document.createElement("div");
    dialog.setAttribute("role", "dialog");
    dialog.className = "PeriodDialog-module__p7";
    dialog.innerHTML = `<h2>기간</h2>
      <label><input type="radio" name="period" checked>최근 30일</label>
      <label><input type="radio" name="period">최근 6개월</label><button type="button">적용</button>`;
    dialog.querySelector("button").addEventListener("click", () => dialog.remove());
    document.body.append(dialog);
  }

  const once = (name, show) => {
    if (sessionStorage.getItem(`replica_${name}`)) return;
    sessionStorage.setItem(`replica_${name}`, "1");
    show();
  };
  const late = () => setTimeout(() => open("late"), config.popupMs);
  const afterFirstEscape = () => document.addEventListener("keydown", function first(event) {
    if (event.key !== "Escape") return;
    document.removeEventListener("keydown", first);
    setTimeout(() => open("second"), config.popupMs);
  });
  ({
    none: () => {},
    immediate: () => once("shown", () => open("first")),
    late: () => once("shown", () => { late(); afterFirstEscape(); }),
    stacked: () => once("shown", () => ["first", "second", "third"].forEach((name) => open(name))),
    returning: () => open("first"),
    only_x: () => open("first", { today: false, escape: false, backdrop: false }),
    escape_ignored: () => open("first", { today: false, x: false, escape: false }),
    guide: openGuide,
    period_dialog: () => { if (config.page === "reviews") openPeriod(); },
  })[config.popups]();
  return { openPeriod };
};
