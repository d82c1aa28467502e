// The time left of a claim, and a warning before it ends; the page works without it.
const bail = document.getElementById("bail");
const reste = document.getElementById("bail-reste");
const alerte = document.getElementById("bail-alerte");
const fin = new Date(bail.dateTime).getTime();

function minuter() {
  const secondes = Math.round((fin - Date.now()) / 1000);
  if (secondes <= 0) {
    reste.textContent = "(terminé)";
    alerte.textContent = "Votre réservation est terminée : une autre personne peut prendre ce dossier. Prolongez pour continuer.";
    return;
  }
  const minutes = Math.ceil(secondes / 60);
  reste.textContent = `(encore ${minutes} minute${minutes > 1 ? "s" : ""})`;
  if (secondes <= 120 && !alerte.textContent) {
    alerte.textContent = "Votre réservation se termine dans moins de deux minutes. Vous pouvez la prolonger.";
  }
  setTimeout(minuter, 5000);
}

minuter();
