"""The phrases by which people say yes and no, without accents, in lower case, apostrophes as spaces. Pure.

phrases.py says how they are written, read.py what follows from their kinds. Whoever adds one asks: can it stand in a
refusal, a doubt, a question? Conditionals (« je viendrais »), interest (« ça m’intéresse ») and parts of a day (« le
matin ») are left out for that reason. Words that begin with "#" are made by text.py: a number (#n, from 10 to 31 #nn),
a code, an hour (#heure, before 7 o’clock #heures: it may say how long), a date, a telephone, emoji.
"""

from services.notifications.comprehension.phrases import Lexique, Sorte

_LISTES = {
    "je": "je|j|on|nous|moi_je|nous_on",
    "jour": "lundi|mardi|mercredi|jeudi|vendredi|samedi|samdi|dimanche|dimanch",
    "quand": "matin|midi|soir|apres_midi|aprem|aprm",
    "viens": "viens|vien|vi1|vient|venons|viendrai|viendre|viendrons|viendra",
    "suis": "suis|sui|sommes|est|serai|sere|serons|sera",
    "present": "la|present|presente|presents|presentes",
    "pret": "partant|partante|partants|partantes|dispo|dispos|disponible|disponibles|libre|libres|volontaire|volontaires"
    "|daccord|ok|des_votres|de_la_partie|pret|prete|prets|pretes",
    "peux": "peux|peu|peut|pouvons|pourrai|pourrons",
    "aider": "aider|vous_aider|venir|venir_aider|venir_vous_aider|participer|etre_la|y_etre|y_aller|me_liberer"
    "|nous_liberer|donner_un_coup_de_main|etre_present|etre_presente|etre_presents|etre_des_votres",
    "souci": "souci|soucis|probleme|problemes|problem|pb|prob|blem",
    "pas": "pas|pa|plus|pas_du_tout",
    "interesse": "interesse|interessee|interesser|interesses|interessees",
    "unite": "personne|personnes|pers|place|places|benevole|benevoles|volontaire|volontaires|adulte|adultes|participant"
    "|participants|objet|objets|exemplaire|exemplaires|unite|unites|x",
    "ami": "ami|amie|copain|copine|collegue|voisin|voisine|mari|femme|conjoint|conjointe|compagnon|compagne|epoux"
    "|epouse|frere|soeur|pote",
    "amis": "amis|amies|copains|copines|collegues|voisins|voisines|potes|autres_personnes|autres|freres|soeurs",
    "message": "message|sms|mail|annonce|msg|demande|texto|alerte|courriel|courrier",
    "empechement": "empechement|imprevu|contretemps|autre_engagement|rendez_vous|rdv|autre_rendez_vous|autre_rdv",
    "fois": "prochaine|autre",
}  # fmt: skip

_MOTIFS = {
    Sorte.OUI: """
        oui|ouai|ouais|ouaip|oue|voui|oiu|oiui|yes|yep|نعم
        c|c_est|ce_sera|ca_sera|je_dis|on_dit|nous_disons|je_reponds|ma_reponse_est|la_reponse_est|toujours oui
        volontiers|volontier|volontiers_oui|bien_volontiers|bien_sur|biensur|evidemment|absolument|carrement|affirmatif
        tout_a_fait|sans_hesiter|sans_hesitation|avec_joie|avec_plaisir|avec_grand_plaisir|avec_un_grand_plaisir
        avec_tres_grand_plaisir|avc_plaisir|avec_un_immense_plaisir
        [{je}] {viens} [toujours] [aider|vous_aider|avec_plaisir|avec_vous|volontiers]
        jviens|jvien|jvi1|jviendrai|jvi1drai [toujours] [aider]
        {je} viens|vien|viendrai|viendrons [toujours] donner un coup de main
        [{je}] arrive|arive|arrivons|arriverai|arriverons|jarrive|jarive
        [{je}] participe|participerai|participons|participerons|participera [toujours] [volontiers|avec_plaisir]
        {je} {suis} [bien|toujours] {present}
        serai|serons|jserai|jsrai [bien|toujours] {present}
        {je} y serai|sere|serons|sera|vais|allons|va
        jy serai|vais
        j_en|nous_en suis|serai|sommes|serons
        [{je}] {suis} [toujours|bien|tout_a_fait|completement|totalement] {pret}
        [toujours] present|presente|presents|presentes|partant|partante|partants|partantes|dispo|dispos|disponible
        disponibles|libre|libres|volontaire|volontaires|toujours_libre|toujours_disponibles
        jsuis|jss|chui|chuis [toujours] partant|partante|dispo|disponible|libre|ok|daccord|la
        {je} {peux} [toujours] [{aider}]
        jpeux|jpeu [{aider}]
        comptez|compte|contez sur moi|nous
        vous|tu|t pouvez|peux|peut compter sur moi|nous
        {je} [vous|te] confirme|confirmons ma|notre presence|participation|venue
        confirme ma|notre presence|participation|venue
        {je} veux|voulons|veut bien [{aider}]
        jveux_bien|je_ve_bien
        {je} veux|voulons|souhaite|souhaitons|desire|desirons aider|vous_aider|participer|venir|venir_aider
        {je} me|nous propose|proposons|porte_volontaire|portons_volontaires
        {je} propose|proposons mon|notre aide
        {je} m|nous inscris|inscrit|inscrivons
        inscrivez|inscris|notez|note|comptez|ajoutez|mettez moi|nous [present|presente|presents|dedans|sur_la_liste]
        {je} prends|prend|prenons|reserve|reservons
        {je} vous aide|aiderai|aidons|aiderons [volontiers|avec_plaisir]
        ca|sa|cela|c me|nous va|convient [bien|tres_bien|parfaitement]
        [c|c_est|ca_marche|ca|ce_sera|ca_sera] ok|bon|daccord|parfait|good|dac|oki|marche|roule pour moi|nous
        [c|c_est] ok|daccord pour nous_deux
        {je} reponds|repond present|presente
        go|c_parti|c_est_parti|allons_y
        {je} sera|serons|sommes|est|viens|vient|venons|viendra|viendrons|serai [a|tous_les|toutes_les] #n|#nn [{unite}]
    """,
    Sorte.ACCORD: """
        [c|c_est|toujours] ok|oki|okay|okai|okey|daccord|dac|dacc|dakor|dakord|dacor|daccor|dak
        ca|sa marche|roule
    """,
    Sorte.CONFIRMATION: """
        je|j|on|nous confirme|confirmons
        je_vous|on_vous|nous_vous confirme|confirmons que_oui
        c_est_confirme|confirme
    """,
    Sorte.POUCE: "#haut",
    Sorte.NON: """
        non|nan|nn|nop|nope|no|negatif|nenni|لا
        c|c_est|ce_sera|ca_sera|je_dis|on_dit|je_reponds|ma_reponse_est|la_reponse_est|toujours non
        [{je}] [ne|n] {peux}|pe|pourrais|pourrait {pas} [{aider}|assister]
        jpeux|jpeu|jpe|jpx|jpourrai|jpourai {pas} [{aider}]
        [{je}] [ne|n] {viens} {pas} [aider]
        jviens|jvien|jvi1|jviendrai {pas}
        [{je}] [ne|n] participe|participerai|participerons|participons|participera {pas}
        [{je}] [ne|n] {suis} pas|pa|pas_du_tout {pret}|{present}|{interesse}
        [{je}] ne|n {suis} plus {pret}|{present}|{interesse}
        [{je}] [n] y serai|serons|sera|vais {pas}
        jsuis|jss|chui|chuis|jserai|jsui {pas} dispo|disponible|libre|la|interesse|interessee
        pas|pa|non|pas_du_tout dispo|dispos|disponible|disponibles|libre|libres|{interesse}
        [{je}] [{suis}] indisponible|indisponibles|indispo|absent|absente|absents
        {je} {suis} [deja] pris|prise|occupe|occupee|occupes|malade|malades|souffrant|souffrante|empeche|empechee
        {je} {suis} [deja] en_vacances|en_vacance|en_conge|en_conges|en_deplacement|en_week_end|en_weekend|en_we|au_travail|a_l_etranger
        en_vacances|en_deplacement|empeche|empechee
        {je} ai|avons|aurai un|deja_un {empechement}
        {je} ai|avons deja|deja_un quelque_chose|qqch|autre_chose|engagement [de_prevu]
        {je} ai|avons autre_chose|quelque_chose [de_prevu]
        {je} ai|avons|aurai|n_ai|n_avons|n_aurai pas|pas_du_tout le_temps|le_tps|envie
        pas le_temps|le_tps|envie
        {je} travaille|bosse|travaillons|taffe [ce_jour_la|ce_jour|ce_week_end|tout_le_week_end]
        [{je}] [ne|n] veux|souhaite|voulons pas [{aider}]
        [c|c_est|ce_sera|ca_sera|ca_va_etre|cela_va_etre] impossible
        [c|c_est|ce_n_est|ca_ne_sera|ca_sera|ce_ne_sera|ce_sera|cela_ne_sera|cela_n_est] pas|plus|pa possible
        ca|cela|sa [ne] va pas etre possible
        ca|cela|sa [ne] m|nous interesse|interessent pas|pas_du_tout
        ca|cela|sa [ne] me|nous va|convient pas
        pas|non|sans moi|nous
        [ce_n_est|c_est|c] pas pour moi|nous
        pas|non cette fois [ci]
        pas_aujourd_hui|pas_ce_jour_la
        [pour|a|ce_sera_pour|ca_sera_pour|mais] une {fois} fois [peut_etre]
        [c_est|c|c_est_un_peu|un_peu] trop loin [de_chez_moi|de_chez_nous]
        sans_facon
        {je} decline|declinons|refuse|refusons|renonce|renoncons|me_desiste|nous_desistons|passe_mon_tour
        passe_mon_tour|laisse_ma_place|desiste
        {je} laisse|laissons|cede|rends|libere ma|notre place
        [{je}] annule|annuler|annules|annulons|annulez|annulation|dois_annuler|souhaite_annuler|prefere_annuler
        annule|annuler|annulez|annulation|dois_annuler [de] ma|notre|la participation|reservation|place|reponse|venue|presence
        j|je annule|dois_annuler|souhaite_annuler ma participation|reservation|place|reponse|venue|presence
        [ne] comptez|compte|contez pas|plus sur moi|nous
    """,
    Sorte.POUCE_BAS: "#bas",
    Sorte.AVEC_OUI: """
        [il_n_y_a|il_y_a|y_a|n_y_a] pas|pa de|d {souci}
        sans|aucun|no {souci}
        n_hesitez_pas
        hate_d_y_etre|hate_de_vous_voir|hate_de_vous_rencontrer|hate_de_vous_aider
        sans_faute|a_l_heure|sur_place|a_votre_disposition
        [appelez_moi|tel|mon_tel|mon_numero|mon_numero_est|voici_mon_numero|joignable|je_suis_joignable] [le|au] #tel
        pour {aider}
    """,
    Sorte.AVEC_NON: """
        [je_suis|on_est|nous_sommes|vraiment|toute|tout|encore] desole|desolee|desoles|desolees|desoler|dsl|dsle|desol|navre|navree
        pardon|excusez_moi|toutes_mes_excuses|mes_excuses|sorry
        malheureusement|malheuresement|malheureusment|helas|dommage|tant_pis|quel_dommage|vraiment_dommage
        a_regret|avec_regret|a_mon_grand_regret
        bon_courage|bonne_chance|bonne_continuation
        ce_jour_la|ce_jour|cette_fois|cette_fois_ci|pour_cette_fois|cette_semaine|ce_week_end|ce_weekend|ce_we|pour_le_moment|pour_l_instant
        du_tout|trop_tard|c_est_trop_tard|trop_court
        mais|car|parce_que|et
        #triste
    """,
    Sorte.MERCI: """
        merci|mercii|mci|mrc|remerciements [beaucoup|bcp|bien|encore|infiniment|a_vous|a_tous|d_avance]
        [bien] merci pour|de votre|le|l|ce {message}|information|info|proposition|aide
        bonne|belle journee|soiree|nuit|semaine|fin_de_journee|apres_midi
        bon week_end|weekend|we|dimanche|apres_midi|samedi
        a bientot|tres_bientot|tout_a_l_heure|tt_a_l_heure|toute|tte
        [bien] cordialement|cdt|cdlt|cordialemnt|amicalement|amities|bises|bisous|salutations|bien_a_vous
        super|genial|parfait|nickel|top|cool|chouette|excellent|tres_bien|impeccable|formidable|avec_mes_remerciements
        c|c_est|tout_est bon
        #sourire
    """,
    Sorte.NEUTRE: """
        bonjour|bonjours|bjr|bonsoir|bsr|salut|slt|coucou|hello|hey [a_tous|a_vous|a_toutes_et_tous|tout_le_monde|l_equipe]
        oui bonjour|bonsoir|bjr
        madame|monsieur|mme|mr|mesdames|messieurs|madame_monsieur
        svp|stp|svpl|s_il_vous_plait|s_il_te_plait|sil_vous_plait|sil_te_plait|شكرا
        moi|nous|moi_aussi|nous_aussi|pour_moi|pour_nous|pour_ma_part|de_mon_cote|quant_a_moi
        alors|donc|ah|oh|eh_bien|et_bien|he_bien|bah|ben|finalement
        ref|reference|code|annonce|pour_l_annonce|l_annonce|votre_annonce
        suite_a|en_reponse_a|pour votre|vos|ce|cette|la|le|l {message}
        sms
    """,
    Sorte.JOUR: """
        [a|pour|le|ce|pour_le|pour_ce] {jour} [{quand}|prochain|matin_prochain] [#date|#nn]
        [a|pour|pour_le|des] demain [{quand}]
        [a|pour] ce|cet|cette matin|midi|soir|apres_midi|aprem
        aujourd_hui|ajd|tout_de_suite|maintenant|des_maintenant
        [le|pour_le|du|au] #date
        le|pour_le|au #n|#nn
    """,
    Sorte.HEURE: """
        [a|vers|pour|rdv_a|rendez_vous_a] #heure
        a|vers #heures
        a|vers midi
        dans #n|#nn minutes|minute|min|mn
    """,
    Sorte.QUANTITE: """
        [pour|a|x|fois|pour_les|{jour}] #n|#nn {unite}
        pour|x|a|fois #n|#nn
        [pour|a] un|une {unite}
        tous|toutes les #n|#nn
    """,
    Sorte.EN_PLUS: """
        avec un|une|mon|ma|un_de_mes|une_de_mes {ami}|autre_personne|autre|ami_a_moi
        avec #n|#nn {amis}
    """,
    Sorte.NOMBRE: "#n|#nn",
    Sorte.CODE: "#code",
}  # fmt: skip

LEXIQUE = Lexique(_MOTIFS, _LISTES)
