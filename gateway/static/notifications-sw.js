// Shows what is pushed: JSON {"title", "body", "url"}, or plain text. A click opens the page of the alert on this site.
"use strict";

const read = (data) => {
  if (!data) return {};
  try {
    const found = data.json();
    return found && typeof found === "object" ? found : { body: String(found) };
  } catch {
    return { body: data.text() };
  }
};

// Never another site, whatever a message says.
const here = (url) => {
  try {
    const target = new URL(url || "/mon-compte/messages", self.location.origin);
    return target.origin === self.location.origin ? target.href : self.location.origin + "/mon-compte/messages";
  } catch {
    return self.location.origin + "/mon-compte/messages";
  }
};

self.addEventListener("push", (event) => {
  const { title, body, url } = read(event.data);
  event.waitUntil(
    self.registration.showNotification(title || "Place des assos", {
      body: body || "",
      icon: "/static/icone.svg",
      lang: "fr",
      data: { url: here(url) },
    })
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow(event.notification.data.url));
});
