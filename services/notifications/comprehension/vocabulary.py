"""The phrases by which people say yes and no, without accents, in lower case, apostrophes as spaces. Pure.

phrases.py says how they are written, read.py what follows from their kinds. Whoever adds one asks: can it stand in a
refusal, a doubt, a question? Conditionals (« je viendrais »), interest (« ça m’intéresse ») and parts of a day (« le
matin ») are left out for that reason. ABREGES are written out in the message and in the patterns alike. Words with
"#" are made by text.py: a number (#n, from 10 to 31 #nn), a code, an hour (#heure; before 7 o’clock #heures, since it
may say how long), a date, a telephone, emoji.
"""

from services.notifications.comprehension.phrases import Lexique, Sorte

_LISTES = {
    "je": "je|on|nous|moi_je",
    "jour": "lundi|mardi|mercredi|jeudi|vendredi|samedi|samdi|dimanche|dimanch",
    "quand": "matin|midi|soir|apres_midi",
    "viens": "viens|vien|vient|venons|viendrai|viendre|viendrons|viendra",
    "suis": "suis|sui|sommes|est|serai|sere|serons|sera",
    "present": "la|present|presente|presents|presentes",
    "pret": "partant|partante|partants|partantes|dispo|dispos|disponible|disponibles|libre|libres"
    "|volontaire|volontaires|daccord|ok|des_votres|de_la_partie|motive|motivee|motives|pret|prete|prets|pretes",
    "peux": "peux|peu|peut|pouvons|pourrai|pourrons",
    "aider": "aider|vous_aider|venir|venir_aider|venir_vous_aider|participer|etre_la|y_etre|y_aller|me_liberer"
    "|nous_liberer|donner_un_coup_de_main|etre_present|etre_presente|etre_presents|etre_des_votres",
    "souci": "souci|soucis|probleme|problemes|problem|pb|prob|blem",
    "libre": "dispo|dispos|disponible|disponibles|libre|libres|la|present|presente|presents|presentes|partant|partante"
    "|volontaire|interesse|interessee|interesser|interesses|interessees",
    "pas": "pas|plus|pas_du_tout|malheureusement_pas|helas_pas|vraiment_pas|finalement_pas",
    "unite": "personne|personnes|pers|p|place|places|benevole|benevoles|volontaire|volontaires|adulte|adultes"
    "|participant|participants|objet|objets|exemplaire|exemplaires|unite|unites|x",
    "ami": "ami|amie|copain|copine|collegue|voisin|voisine|mari|femme|conjoint|conjointe|compagnon|compagne|epoux"
    "|epouse|frere|soeur|pote",
    "amis": "amis|amies|copains|copines|collegues|voisins|voisines|potes|autres_personnes|autres|freres|soeurs",
    "message": "message|sms|mail|annonce|msg|demande|texto|alerte|courriel|courrier",
    "empechement": "empechement|imprevu|contretemps|autre_engagement|rendez_vous|autre_rendez_vous",
    "fois": "prochaine|autre",
    "venue": "participation|reservation|place|reponse|venue|presence",
    "desole": "desole|desolee|desoles|desolees|desoler|desol|navre|navree",
}  # fmt: skip

_MOTIFS = {
    Sorte.OUI: """
        [mais] oui|bien_sur
        ouai|ouais|ouaip|oue|voui|oiu|oiui|yes|yep|نعم
        c_est|c|ce_sera|ca_sera|je_dis|on_dit|nous_disons|je_reponds|ma_reponse_est|la_reponse_est|toujours oui
        volontiers|volontier|volontiers_oui|bien_volontiers|biensur|bien_entendu|evidemment|absolument|carrement|affirmatif
        tout_a_fait|sans_hesiter|sans_hesitation|avec_joie|avec_plaisir|avec_grand_plaisir|avec_un_grand_plaisir|avec_plaizir|avec_plesir|volontie
        avec_tres_grand_plaisir|avc_plaisir|avec_un_immense_plaisir
        [{je}] {viens} [toujours] [aider|vous_aider|avec_plaisir|avec_vous|volontiers]
        {je} viens|vien|viendrai|viendrons [toujours] donner un coup de main
        {je} donne|donnerai|donnons un coup de main
        [{je}] arrive|arive|arrivons|arriverai|arriverons
        {je} vous|te rejoins|rejoint|rejoindrai|rejoignons
        {je} me|nous joins|joindrai|joignons a vous
        {je} {suis} au rendez_vous|avec_vous
        {je} accepte|accepterai|acceptons
        {je} {peux} le_faire|m_en_occuper|vous_donner_un_coup_de_main
        [{je}] participe|participerai|participons|participerons|participera [toujours] [volontiers|avec_plaisir]
        {je} {suis} [bien|toujours] {present}
        serai|serons [bien|toujours] {present}
        {je} y serai|sere|serons|sera|vais|allons|va
        j_en|nous_en suis|serai|sommes|serons
        [{je}] {suis} [toujours|bien|tout_a_fait|completement|totalement] {pret}
        [toujours] present|presente|presents|presentes|partant|partante|partants|partantes|dispo|dispos|disponible
        disponibles|libre|libres|volontaire|volontaires|toujours_libre|toujours_disponibles
        {je} {peux} [toujours] [{aider}]
        comptez|compte|contez sur moi|nous
        vous|tu pouvez|peux|peut compter sur moi|nous
        {je} [vous|te] confirme|confirmons ma|notre presence|participation|venue
        confirme ma|notre presence|participation|venue
        {je} veux|voulons|veut bien [{aider}]
        {je} veux|voulons|souhaite|souhaitons|desire|desirons aider|vous_aider|participer|venir|venir_aider
        {je} me|nous propose|proposons|porte_volontaire|portons_volontaires
        {je} propose|proposons mon|notre aide
        {je} m|nous inscris|inscrit|inscrivons
        inscrivez|inscris|notez|note|comptez|ajoutez|mettez moi|nous [present|presente|presents|dedans|sur_la_liste]
        {je} prends|prend|prenons|reserve|reservons
        {je} vous aide|aiderai|aidons|aiderons [volontiers|avec_plaisir]
        ca|cela me|nous va|convient [bien|tres_bien|parfaitement]
        [c_est|c|ca_marche|ca|ce_sera|ca_sera] ok|bon|daccord|parfait|good|dac|oki|marche|roule pour moi|nous
        {je} reponds|repond present|presente
        go|c_est_parti|allons_y
        {je} sera|serons|sommes|est|viens|vient|venons|viendra|viendrons|serai [a|tous_les|toutes_les] #n|#nn [{unite}]
        inscrivez|inscris|notez|comptez|reservez|ajoutez|mettez #n|#nn {unite}
    """,
    Sorte.ACCORD: """
        [c_est|c|toujours] ok|oki|okay|okai|okey|daccord|dac|dakor|dakord|dacor|dak|d_acc
        ca marche|roule
    """,
    Sorte.CONFIRMATION: """
        je|on|nous confirme|confirmons
        je_vous|on_vous|nous_vous confirme|confirmons que_oui
        c_est_confirme|confirme
    """,
    Sorte.POUCE: "#haut",
    Sorte.NON: """
        non|nan|nn|nop|nope|no|negatif|nenni|لا
        c_est|c|ce_sera|ca_sera|je_dis|on_dit|je_reponds|ma_reponse_est|la_reponse_est|toujours non
        [{je}] [ne|n] {peux}|pourrais|pourrait {pas} [{aider}|assister]
        [{je}] [ne|n] {viens} {pas} [aider]
        [{je}] [ne|n] participe|participerai|participerons|participons|participera {pas}
        [{je}] [ne|n] {suis} pas|pas_du_tout|malheureusement_pas {libre}
        [{je}] ne|n {suis} plus {libre}
        [{je}] [n] y serai|serons|sera|vais {pas}
        {je} [ne|n] {suis} pas|plus a_lille|sur_lille|en_ville|dans_le_coin
        pas|non|pas_du_tout {libre}
        [{je}] [{suis}] indisponible|indisponibles|indispo|absent|absente|absents
        {je} {suis} [deja] pris|prise|occupe|occupee|occupes|malade|malades|souffrant|souffrante|empeche|empechee
        {je} {suis} [deja] blesse|blessee|fatigue|fatiguee|enceinte
        {je} {suis} [deja] en_vacances|en_vacance|en_conge|en_conges|en_deplacement|en_week_end|au_boulot|au_taf
        {je} {suis} [deja] au_travail|a_l_etranger
        en_vacances|en_deplacement|empeche|empechee|blesse|blessee|fatigue|fatiguee|enceinte
        {je} ai|avons|aurai un|deja_un {empechement}
        {je} ai|avons deja|deja_un quelque_chose|autre_chose|engagement [de_prevu]
        {je} ai|avons autre_chose|quelque_chose [de_prevu]
        {je} ai|avons|aurai|n_ai|n_avons|n_aurai pas|pas_du_tout le_temps|envie
        pas le_temps|envie
        {je} travaille|bosse|travaillons|taffe [ce_jour_la|ce_jour|ce_week_end|tout_le_week_end]
        [{je}] [ne|n] veux|souhaite|voulons|prefere|preferons pas [{aider}]
        [c_est|c|ce_sera|ca_sera|ca_va_etre|cela_va_etre] impossible
        [c_est|c|ce_n_est|ca_ne_sera|ca_sera|ce_ne_sera|ce_sera|cela_ne_sera|cela_n_est] pas|plus possible
        ca|cela [ne] va pas etre possible
        ca|cela [ne] m|nous interesse|interessent pas|pas_du_tout
        ca|cela [ne] me|nous va|convient pas
        [ce_sera|ca_sera] pas|non|sans moi|nous
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
        annule|annuler|annulez|annulation [de] ma|notre|la {venue}
        je annule|dois_annuler|souhaite_annuler ma {venue}
        [ne] comptez|compte|contez pas|plus sur moi|nous
    """,
    Sorte.POUCE_BAS: "#bas",
    Sorte.AVEC_OUI: """
        [il_n_y_a|il_y_a|y_a|n_y_a] pas de|d {souci}
        sans|aucun|no {souci}
        n_hesitez_pas
        en voiture|bus|velo|train|metro|tram
        hate_d_y_etre|hate_de_vous_voir|hate_de_vous_rencontrer|hate_de_vous_aider
        sans_faute|a_l_heure|sur_place|a_votre_disposition
        [appelez_moi|tel|mon_tel|mon_numero|mon_numero_est|voici_mon_numero|joignable|je_suis_joignable] [le|au] #tel
        pour {aider}
    """,
    Sorte.AVEC_NON: """
        [je_suis|on_est|nous_sommes|vraiment|toute|tout|encore] {desole}
        pardon|excusez_moi|toutes_mes_excuses|mes_excuses|sorry
        malheureusement|malheuresement|malheureusment|helas|dommage|tant_pis|quel_dommage|vraiment_dommage
        a_regret|avec_regret|a_mon_grand_regret
        bon_courage|bonne_chance|bonne_continuation
        ce_jour_la|ce_jour|cette_fois|cette_fois_ci|pour_cette_fois|cette_semaine|ce_week_end|pour_le_moment|pour_l_instant
        du_tout|trop_tard|c_est_trop_tard|trop_court
        #triste
    """,
    Sorte.LIAISON: """
        mais|car|parce_que|et
    """,
    Sorte.MERCI: """
        merci|mci|remerciements|#merci [beaucoup|bien|encore|infiniment|a_vous|a_tous|d_avance]
        [bien] merci pour|de votre|le|l|ce {message}|information|info|proposition|aide
        bonne|belle journee|soiree|nuit|semaine|fin_de_journee|apres_midi
        bon week_end|dimanche|apres_midi|samedi
        a bientot|tres_bientot|tout_a_l_heure|toute
        [bien] cordialement|cdt|cdlt|cordialemnt|amicalement|amities|bises|bisous|salutations|bien_a_vous
        super|genial|parfait|nickel|top|cool|chouette|excellent|tres_bien|impeccable|formidable|avec_mes_remerciements
        c_est|c|tout_est bon
    """,
    Sorte.NEUTRE: """
        bonjour|bonjours|bjr|bonsoir|bsr|salut|slt|coucou|hello|hey [a_tous|a_vous|tout_le_monde|l_equipe]
        oui bonjour|bonsoir|bjr
        madame|monsieur|mme|mr|mesdames|messieurs|madame_monsieur
        svp|stp|svpl|s_il_vous_plait|s_il_te_plait|sil_vous_plait|sil_te_plait|شكرا
        moi|nous|moi_aussi|nous_aussi|pour_moi|pour_nous|pour_ma_part|de_mon_cote|quant_a_moi
        #sourire
        en_fait
        alors|donc|ah|oh|eh_bien|et_bien|he_bien|bah|ben|finalement
        ref|reference|code|annonce|pour_l_annonce|l_annonce|votre_annonce
        suite_a|en_reponse_a|pour votre|vos|ce|cette|la|le|l {message}
        sms
    """,
    Sorte.JOUR: """
        [a|pour|le|ce|pour_le|pour_ce] {jour} [{quand}] [#date|#nn]
        [a|pour|pour_le|des] demain [{quand}]
        [a|pour] ce|cet|cette matin|midi|soir|apres_midi
        aujourd_hui|tout_de_suite|maintenant|des_maintenant
        [le|pour_le|du|au] #date
        le|pour_le #n|#nn
    """,
    Sorte.HEURE: """
        [a|vers|pour|rendez_vous_a] #heure
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
        moi_et|nous_et mon|ma {ami}
        mon|ma {ami} et_moi
        avec un|une|mon|ma|un_de_mes|une_de_mes {ami}|autre_personne|autre|ami_a_moi
        avec #n|#nn {amis}
    """,
    Sorte.NOMBRE: "#n|#nn",
    Sorte.CODE: "#code",
}  # fmt: skip

ABREGES = {
    "j": "je", "g": "je ai", "jai": "je ai", "jviens": "je viens", "jvien": "je viens", "jvi1": "je viens",
    "vi1": "viens", "jviendrai": "je viendrai", "jpeux": "je peux", "jpeu": "je peux", "jpe": "je peux",
    "jpx": "je peux", "pe": "peux", "jpourrai": "je pourrai", "jpourai": "je pourrai", "jsuis": "je suis",
    "jsui": "je suis", "jss": "je suis", "chui": "je suis", "chuis": "je suis", "jserai": "je serai",
    "jsrai": "je serai", "jveux": "je veux", "ve": "veux", "jarrive": "je arrive", "jarive": "je arrive",
    "jy": "je y", "jen": "je en", "cest": "c est", "sa": "ca", "pa": "pas", "pr": "pour", "vs": "vous",
    "bcp": "beaucoup", "mrc": "merci", "dsl": "desole", "dsle": "desolee", "tps": "temps", "rdv": "rendez vous",
    "weekend": "week end", "we": "week end", "aprem": "apres midi", "aprm": "apres midi", "ajd": "aujourd hui",
    "auj": "aujourd hui", "qqch": "quelque chose", "tt": "tout",
}  # fmt: skip

LEXIQUE = Lexique(_MOTIFS, _LISTES, ABREGES)
