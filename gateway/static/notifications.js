// « Notifications du navigateur » on the page of the preferences. Without this script the section stays hidden.
"use strict";

(() => {
  const section = document.getElementById("notifications");
  const start = document.getElementById("notifications-activer");
  const stop = document.getElementById("notifications-arreter");
  const state = document.getElementById("notifications-etat");
  if (!section || !("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) return;

  const WORKER = "/static/notifications-sw.js";
  const SUBSCRIPTION = "/v1/mes/push";
  let key = "";

  const call = async (method, path, content) => {
    const answer = await fetch(path, {
      method,
      headers: content ? { "Content-Type": "application/json" } : {},
      body: content ? JSON.stringify(content) : undefined,
    });
    if (!answer.ok) {
      const problem = await answer.json().catch(() => ({}));
      throw new Error(problem.detail || "Le service ne répond pas. Réessayez dans quelques instants.");
    }
    return answer.status === 204 ? null : answer.json().catch(() => null);
  };

  const bytes = (base64url) => {
    const base64 = base64url.replace(/-/g, "+").replace(/_/g, "/");
    return Uint8Array.from(atob(base64 + "=".repeat((4 - (base64.length % 4)) % 4)), (c) => c.charCodeAt(0));
  };

  // `ready` never comes here: the worker's scope is /static/, which is enough for messages.
  const active = (registration) =>
    new Promise((resolve) => {
      const worker = registration.active || registration.waiting || registration.installing;
      const look = () => worker.state === "activated" && resolve(registration);
      worker.addEventListener("statechange", look);
      look();
    });

  const show = async () => {
    const registration = await navigator.serviceWorker.getRegistration("/static/");
    const subscription = registration ? await registration.pushManager.getSubscription() : null;
    const refused = Notification.permission === "denied";
    start.hidden = refused || subscription !== null;
    stop.hidden = subscription === null;
    if (refused) state.textContent = "Votre navigateur refuse les notifications de ce site : changez-le dans ses réglages.";
    else if (subscription) state.textContent = "Activées sur ce navigateur.";
  };

  const guarded = (act) => async () => {
    start.disabled = stop.disabled = true;
    state.textContent = "";
    try {
      await act();
      await show();
    } catch (error) {
      state.textContent = error.message;
    } finally {
      start.disabled = stop.disabled = false;
    }
  };

  start.addEventListener("click", guarded(async () => {
    if ((await Notification.requestPermission()) !== "granted") return;
    const registration = await active(await navigator.serviceWorker.register(WORKER));
    const subscription = await registration.pushManager.subscribe({
      userVisibleOnly: true,
      applicationServerKey: bytes(key),
    });
    try {
      await call("POST", SUBSCRIPTION, { subscription: subscription.toJSON() });
    } catch (error) {
      // A subscription that nobody knows of would say « activées », and never bring anything.
      await subscription.unsubscribe();
      throw error;
    }
  }));

  stop.addEventListener("click", guarded(async () => {
    const registration = await navigator.serviceWorker.getRegistration("/static/");
    const subscription = registration && (await registration.pushManager.getSubscription());
    await call("DELETE", SUBSCRIPTION);
    if (subscription) await subscription.unsubscribe();
    state.textContent = "Arrêtées sur ce navigateur.";
  }));

  // An installation without a key has nothing to offer here.
  call("GET", "/v1/push/cle").then(
    (found) => {
      key = found.cle;
      section.hidden = false;
      return show();
    },
    () => {}
  );
})();
