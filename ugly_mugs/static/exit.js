// Leaves this site fast: the page is replaced in the history, and Escape pressed three times does it too.
(() => {
  const link = document.getElementById("leave");
  if (!link) return;
  let presses = [];
  const leave = (event) => {
    event.preventDefault();
    document.documentElement.hidden = true;
    location.replace(link.href);
  };
  link.addEventListener("click", leave);
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return void (presses = []);
    presses = [...presses, Date.now()].slice(-3);
    if (presses.length === 3 && presses[2] - presses[0] < 2000) leave(event);
  });
})();
