//! The labelled vocabulary: for each leaf how its accounts are called in English, German, French, Spanish, Dutch, Portuguese and Italian.

/// Key of a leaf, and phrases separated by commas.
pub const VOCABULARY: &[(&str, &str)] = &[
    // assets
    (
        "bank-accounts",
        "bank account, checking, current account, business account, business bank account, operating account, cheque account, bank, bankguthaben, girokonto, bankkonto, postbank, banques, compte courant, comptes bancaires, bancos, cuenta corriente, bancos e instituciones de crédito, bankrekening, lopende rekening, banco, depósitos à ordem, banca, banca c c, conto corrente bancario, paypal, stripe, wise",
    ),
    (
        "savings-accounts",
        "savings, savings account, money market, term deposit, sparkonto, tagesgeld, festgeld, compte épargne, livret, cuenta de ahorro, spaarrekening, depósitos a prazo, poupança, conto di risparmio, deposito vincolato",
    ),
    (
        "cash-on-hand",
        "petty cash, cash on hand, cash register, till, cash drawer, kasse, barkasse, caisse, espèces, caja, efectivo, kas, kleine kas, caixa, fundo de caixa, cassa, cassa contanti, cash",
    ),
    (
        "cash-in-transit",
        "undeposited funds, clearing account, cash in transit, suspense, geldtransit, verrechnungskonto, virements internes, comptes d'attente, fondos en tránsito, cuenta puente, kruisposten, tussenrekening, valores em trânsito, conto transitorio, cassa in transito",
    ),
    (
        "cash-in-trust",
        "trust account, client trust, escrow, iolta, anderkonto, treuhandkonto, compte séquestre, cuenta fiduciaria, derdengelden, conta fiduciária, conto fiduciario",
    ),
    (
        "trade-receivables",
        "accounts receivable, trade debtors, debtors, trade receivables, customers receivable, forderungen aus lieferungen und leistungen, debitoren, clients, créances clients, clientes, deudores comerciales, cuentas por cobrar, debiteuren, handelsdebiteuren, clientes conta corrente, contas a receber, crediti verso clienti, clienti",
    ),
    (
        "bad-debt-allowance",
        "allowance for doubtful accounts, allowance for bad debts, provision for doubtful debts, wertberichtigung auf forderungen, provision pour créances douteuses, dépréciation des comptes clients, deterioro de valor de créditos, voorziening dubieuze debiteuren, perdas por imparidade de clientes, fondo svalutazione crediti",
    ),
    (
        "tax-receivable",
        "tax receivable, input tax, vat receivable, gst receivable, tax refund due, vorsteuer, steuererstattung, tva déductible, état créances, hacienda pública deudora, iva soportado, te vorderen btw, vooruitbetaalde btw, iva dedutível, estado a receber, iva a credito, crediti tributari, income tax receivable",
    ),
    (
        "employee-advances",
        "employee advances, staff advances, employee loans, vorschüsse an mitarbeiter, forderungen gegen personal, avances au personnel, anticipos al personal, voorschotten personeel, adiantamentos ao pessoal, anticipi a dipendenti",
    ),
    (
        "short-term-loans-given",
        "loans to officers, loan to director, loans to shareholders, loan receivable, darlehen an gesellschafter, prêts à court terme, préstamos concedidos, verstrekte leningen, empréstimos concedidos, crediti finanziari",
    ),
    (
        "other-receivables",
        "sundry debtors, retainage, deposits receivable, accounts receivable from others, unbilled receivables, sonstige forderungen, sonstige vermögensgegenstände, débiteurs divers, deudores varios, overige vorderingen, devedores diversos, crediti diversi",
    ),
    (
        "inventory",
        "inventory, stock, stock on hand, raw materials, finished goods, work in progress, merchandise, warenbestand, vorräte, roh hilfs und betriebsstoffe bestand, fertige erzeugnisse, stocks de marchandises, stocks, en cours de production, existencias, mercaderías, voorraden, voorraad, inventários, mercadorias em armazém, rimanenze, magazzino merci",
    ),
    (
        "prepayments",
        "prepaid expenses, prepaid insurance, prepaid rent, prepayments, accrued income, aktive rechnungsabgrenzung, geleistete anzahlungen, charges constatées d'avance, produits à recevoir, gastos anticipados, pagos anticipados, vooruitbetaalde kosten, nog te ontvangen bedragen, gastos a reconhecer, diferimentos, risconti attivi, ratei attivi",
    ),
    (
        "short-term-investments",
        "short term investments, marketable securities, wertpapiere des umlaufvermögens, valeurs mobilières de placement, inversiones financieras a corto plazo, kortlopende beleggingen, aplicações financeiras, titoli a breve termine",
    ),
    (
        "land-and-buildings",
        "land, buildings, land and buildings, property, freehold property, grundstücke, gebäude, terrains, constructions, bâtiments, terrenos, construcciones, edificios, bedrijfsgebouwen, terreinen, edifícios, terreni, fabbricati",
    ),
    (
        "leasehold-improvements",
        "leasehold improvements, fit out, tenant improvements, mietereinbauten, agencements et aménagements, mejoras en locales arrendados, verbouwingen, benfeitorias em imóveis arrendados, migliorie su beni di terzi",
    ),
    (
        "machinery-and-equipment",
        "machinery, equipment, plant and machinery, tools, manufacturing equipment, maschinen, technische anlagen, werkzeuge, installations techniques, matériel et outillage, maquinaria, utillaje, instalaciones técnicas, machines en installaties, inventaris machines, equipamento básico, ferramentas, impianti e macchinario, attrezzature",
    ),
    (
        "vehicles",
        "vehicles, motor vehicles, cars, trucks, fuhrpark, pkw, lkw, fahrzeuge, matériel de transport, véhicules, elementos de transporte, vehículos, vervoermiddelen, bedrijfsauto, equipamento de transporte, viaturas, automezzi, autovetture",
    ),
    (
        "furniture-and-fixtures",
        "furniture, furniture and fixtures, furniture and equipment, office equipment, fixtures and fittings, büroeinrichtung, geschäftsausstattung, betriebs und geschäftsausstattung, mobilier, mobilier de bureau, mobiliario, kantoorinventaris, meubilair, mobiliário, equipamento administrativo, mobili e arredi",
    ),
    (
        "computers",
        "computers, computer equipment, it equipment, laptops, hardware, edv anlagen, matériel informatique, equipos para procesos de información, computerapparatuur, equipamento informático, macchine elettroniche d'ufficio, hardware informatico",
    ),
    (
        "assets-under-construction",
        "assets under construction, construction in progress, anlagen im bau, immobilisations en cours, inmovilizado en curso, activa in uitvoering, ativos em curso, immobilizzazioni in corso",
    ),
    (
        "other-fixed-assets",
        "low value assets, geringwertige wirtschaftsgüter, other tangible assets, autres immobilisations corporelles, otro inmovilizado material, overige materiële vaste activa, outros ativos fixos tangíveis, altri beni materiali",
    ),
    ("goodwill", "goodwill, firmenwert, geschäfts oder firmenwert, fonds commercial, fondo de comercio, avviamento, trespasse"),
    (
        "software-and-licences",
        "software, licences, patents, trademarks, website development, intangible assets, konzessionen und lizenzen, edv software, concessions et brevets, logiciels, aplicaciones informáticas, patentes, propiedad industrial, immateriële vaste activa, ativos intangíveis, programas de computador, concessioni e licenze, software in uso",
    ),
    (
        "accumulated-depreciation",
        "accumulated depreciation, accumulated amortization, less accumulated depreciation, kumulierte abschreibungen, amortissements des immobilisations, amortización acumulada, cumulatieve afschrijving, depreciações acumuladas, amortizações acumuladas, fondo ammortamento",
    ),
    (
        "long-term-investments",
        "investments, long term investments, shares in subsidiaries, beteiligungen, wertpapiere des anlagevermögens, titres de participation, participaciones a largo plazo, deelnemingen, investimentos financeiros, partecipazioni",
    ),
    (
        "long-term-loans-given",
        "long term loans given, loans to related parties, ausleihungen, prêts à long terme, créditos a largo plazo, langlopende vorderingen, empréstimos a subsidiárias, crediti immobilizzati",
    ),
    (
        "security-deposits",
        "security deposit, security deposits, rental bond, rent deposit, kaution, dépôts et cautionnements, fianzas, depósitos y fianzas constituidos, waarborgsom, borg, cauções, depositi cauzionali",
    ),
    (
        "deferred-tax-assets",
        "deferred tax asset, aktive latente steuern, impôts différés actif, activos por impuesto diferido, latente belastingvordering, ativos por impostos diferidos, imposte anticipate",
    ),
    // liabilities
    (
        "trade-payables",
        "accounts payable, trade creditors, creditors, trade payables, verbindlichkeiten aus lieferungen und leistungen, kreditoren, fournisseurs, dettes fournisseurs, proveedores, acreedores comerciales, cuentas por pagar, crediteuren, handelscrediteuren, fornecedores, contas a pagar, debiti verso fornitori, fornitori",
    ),
    (
        "credit-cards",
        "credit card, company credit card, visa, mastercard, american express, kreditkarte, carte de crédit, carte bancaire, tarjeta de crédito, creditcard, cartão de crédito, carta di credito",
    ),
    (
        "accrued-expenses",
        "accrued expenses, accruals, accrued liabilities, unpaid expense claims, expense claims payable, sonstige rückstellungen kurzfristig, charges à payer, gastos pendientes de pago, nog te betalen kosten, transitorische passiva, credores por acréscimos de gastos, ratei passivi, fatture da ricevere",
    ),
    (
        "wages-payable",
        "wages payable, salaries payable, payroll clearing, payroll liabilities, accrued payroll, holiday pay accrual, verbindlichkeiten aus lohn und gehalt, personnel rémunérations dues, remuneraciones pendientes de pago, te betalen lonen, reservering vakantiegeld, remunerações a pagar, pessoal a pagar, debiti verso dipendenti, dipendenti c retribuzioni",
    ),
    (
        "deferred-revenue",
        "deferred revenue, unearned revenue, customer deposits, deposits received, gift cards outstanding, income in advance, erhaltene anzahlungen, passive rechnungsabgrenzung, produits constatés d'avance, avances et acomptes reçus, anticipos de clientes, ingresos anticipados, vooruitontvangen bedragen, adiantamentos de clientes, rendimentos a reconhecer, risconti passivi, acconti da clienti",
    ),
    (
        "sales-tax-payable",
        "sales tax payable, sales tax, vat, gst, hst, vat payable, gst payable, vat control, umsatzsteuer, umsatzsteuer zahllast, tva à décaisser, tva collectée, iva repercutido, hacienda pública acreedora por iva, btw, af te dragen btw, iva liquidado, iva a pagar, iva a debito, erario c iva",
    ),
    (
        "payroll-taxes-payable",
        "payroll tax payable, employee tax payable, paye payable, superannuation payable, pension payable, payroll taxes, verbindlichkeiten lohnsteuer, verbindlichkeiten soziale sicherheit, lohnsteuer, sécurité sociale, organismes sociaux, organismos de la seguridad social acreedores, retenciones practicadas, loonheffing, te betalen loonbelasting, segurança social a pagar, retenção de impostos sobre rendimentos, erario c ritenute, debiti verso istituti previdenziali, inps",
    ),
    (
        "income-tax-payable",
        "income tax payable, corporation tax payable, provision for income tax, steuerrückstellungen, körperschaftsteuerverbindlichkeiten, état impôts sur les bénéfices, hacienda pública acreedora por impuesto sobre sociedades, te betalen vennootschapsbelasting, imposto sobre o rendimento a pagar, debiti per imposte sul reddito",
    ),
    (
        "short-term-debt",
        "line of credit, bank overdraft, overdraft, short term loan, credit line, kontokorrentkredit, kurzfristige bankverbindlichkeiten, concours bancaires courants, découvert bancaire, deudas a corto plazo con entidades de crédito, póliza de crédito, rekening courant krediet, kortlopende leningen, descobertos bancários, empréstimos de curto prazo, banche c c passivi, debiti a breve verso banche",
    ),
    (
        "dividends-payable",
        "dividends payable, verbindlichkeiten aus ausschüttung, associés dividendes à payer, dividendo activo a pagar, te betalen dividend, dividendos a pagar, debiti per dividendi",
    ),
    (
        "money-held-for-others",
        "client money held, tips payable, trust liability, fremdgelder, fonds de tiers, fondos de terceros, gelden van derden, valores de terceiros, somme di terzi",
    ),
    (
        "other-current-liabilities",
        "rounding, historical adjustment, sundry creditors, sonstige verbindlichkeiten, créditeurs divers, acreedores varios, overige schulden, credores diversos, debiti diversi",
    ),
    (
        "long-term-debt",
        "loan, bank loan, equipment loan, mortgage, notes payable, loan payable, darlehen, bankdarlehen, verbindlichkeiten gegenüber kreditinstituten, hypothek, emprunts, emprunts auprès des établissements de crédit, préstamos a largo plazo, deudas a largo plazo con entidades de crédito, leningen, hypotheek, empréstimos obtidos, financiamentos obtidos, mutui passivi, debiti verso banche a lungo",
    ),
    (
        "shareholder-loans",
        "shareholder loan, director loan, loan from owner, directors loan account, due to related parties, gesellschafterdarlehen, verbindlichkeiten gegenüber gesellschaftern, comptes courants d'associés, préstamos de socios, cuenta corriente con socios, rekening courant directie, schuld aan aandeelhouder, suprimentos de sócios, finanziamento soci, debiti verso soci",
    ),
    (
        "lease-liabilities",
        "lease liability, finance lease, hire purchase, leasingverbindlichkeiten, crédit bail, acreedores por arrendamiento financiero, leaseverplichtingen, locações financeiras, debiti per leasing",
    ),
    (
        "deferred-tax-liabilities",
        "deferred tax liability, passive latente steuern, impôts différés passif, pasivos por impuesto diferido, latente belastingverplichting, passivos por impostos diferidos, fondo imposte differite",
    ),
    (
        "provisions",
        "provisions, pension provision, warranty provision, pensionsrückstellungen, rückstellungen, provisions pour risques et charges, provisiones, voorzieningen, pensioenvoorziening, provisões, fondi rischi, trattamento di fine rapporto, tfr",
    ),
    // equity
    (
        "share-capital",
        "share capital, common stock, ordinary shares, paid in shares, gezeichnetes kapital, stammkapital, grundkapital, capital social, capital souscrit, aandelenkapitaal, geplaatst kapitaal, capital subscrito, capitale sociale",
    ),
    (
        "owner-contributions",
        "owner's equity, owner funds introduced, owner's capital, owner contributions, capital introduced, partner capital, eigenkapital, privateinlagen, apports de l'exploitant, compte de l'exploitant apports, aportaciones de socios, capital individual, eigen vermogen, privé stortingen, prestações suplementares, entradas do titular, conferimenti del titolare, patrimonio netto",
    ),
    (
        "capital-reserves",
        "capital reserves, share premium, additional paid in capital, revaluation reserve, kapitalrücklage, gewinnrücklagen, gesetzliche rücklage, réserves, réserve légale, prime d'émission, reservas, reserva legal, agioreserve, wettelijke reserve, reservas legais, riserve, riserva legale, riserva sovrapprezzo",
    ),
    (
        "owner-drawings",
        "owner's draw, owner drawings, drawings, draws, partner distributions, personal drawings, privatentnahmen, prélèvements de l'exploitant, compte de l'exploitant prélèvements, retiros del propietario, disposiciones del titular, privé opnamen, levantamentos do titular, prelievi del titolare",
    ),
    (
        "dividends-paid",
        "dividends, dividends paid, interim dividend, ausschüttungen, dividendes versés, dividendos, dividendo a cuenta, dividenduitkering, dividendos distribuídos, dividendi",
    ),
    (
        "retained-earnings",
        "retained earnings, accumulated profits, profit brought forward, current year earnings, gewinnvortrag, verlustvortrag, jahresüberschuss, report à nouveau, résultat de l'exercice, resultados acumulados, remanente, resultados negativos de ejercicios anteriores, ingehouden winst, onverdeelde winst, resultados transitados, utili portati a nuovo, utile d'esercizio",
    ),
    (
        "opening-balances",
        "opening balance equity, opening balance, conversion balance, saldenvorträge, eröffnungsbilanz, bilan d'ouverture, saldo inicial, asiento de apertura, openingsbalans, saldo de abertura, bilancio di apertura",
    ),
    (
        "other-equity",
        "accumulated other comprehensive income, foreign currency translation reserve, translation reserve, écart de conversion, diferencias de conversión, reserve omrekeningsverschillen, ajustamentos em ativos financeiros, riserva di conversione",
    ),
    // income
    (
        "product-sales",
        "sales, product sales, sales of product income, sales revenue, merchandise sales, online sales, retail sales, umsatzerlöse, erlöse, warenverkauf, ventes, ventes de marchandises, ventes de produits finis, ventas, ventas de mercaderías, omzet, verkopen, netto omzet, vendas, vendas de mercadorias, ricavi delle vendite, vendite, ricavi, umsatz",
    ),
    (
        "service-revenue",
        "services, service income, service revenue, consulting, consulting income, fees earned, installation, repairs, labour income, professional fees income, maintenance contracts, training income, dienstleistungserlöse, erlöse aus dienstleistungen, beratungserlöse, honorarerlöse, prestations de services, travaux, honoraires perçus, prestación de servicios, ingresos por servicios, omzet diensten, dienstverlening, prestações de serviços, prestazioni di servizi, ricavi per servizi",
    ),
    (
        "other-revenue",
        "other revenue, other operating income, shipping income, delivery income, membership fees, sonstige betriebliche erträge, autres produits de gestion courante, otros ingresos de gestión, overige opbrengsten, outros rendimentos operacionais, altri ricavi e proventi",
    ),
    (
        "discounts-and-refunds",
        "discounts given, sales discounts, refunds, returns and allowances, sales returns, erlösschmälerungen, gewährte skonti, gewährte rabatte, rabais remises ristournes accordés, descuentos sobre ventas, devoluciones de ventas, rappels por ventas, verleende kortingen, retouren, descontos concedidos, devoluções de vendas, sconti su vendite, resi su vendite",
    ),
    (
        "interest-income",
        "interest income, interest earned, interest received, bank interest, zinserträge, zinsen und ähnliche erträge, revenus d'intérêts, produits financiers, ingresos por intereses, ingresos financieros, rentebaten, ontvangen rente, juros obtidos, rendimentos de juros, interessi attivi, proventi finanziari",
    ),
    (
        "investment-income",
        "dividend income, investment income, beteiligungserträge, dividendenerträge, revenus des titres, ingresos de participaciones, opbrengst deelnemingen, rendimentos de participações, proventi da partecipazioni",
    ),
    (
        "grants",
        "grants, grant income, donations received, subsidies, zuschüsse, fördermittel, spendenerträge, subventions d'exploitation, dons reçus, subvenciones, donaciones recibidas, subsidies ontvangen, ontvangen giften, subsídios à exploração, contributi in conto esercizio, donazioni ricevute",
    ),
    (
        "rental-income",
        "rental income, rent received, mieterträge, revenus locatifs, revenus des immeubles, ingresos por arrendamientos, huuropbrengsten, rendas recebidas, fitti attivi, affitti attivi",
    ),
    (
        "gains-on-disposals",
        "gain on sale of assets, profit on disposal, erträge aus anlagenabgang, produits des cessions, beneficios procedentes del inmovilizado, boekwinst vaste activa, ganhos em alienações, plusvalenze",
    ),
    (
        "currency-gains",
        "foreign exchange gain, currency gains, realised currency gains, kursgewinne, erträge aus währungsumrechnung, gains de change, diferencias positivas de cambio, koerswinst, diferenças de câmbio favoráveis, utili su cambi",
    ),
    (
        "sundry-income",
        "miscellaneous income, insurance claims received, außerordentliche erträge, produits exceptionnels, ingresos excepcionales, buitengewone baten, rendimentos extraordinários, sopravvenienze attive, proventi straordinari",
    ),
    // expenses
    (
        "goods-and-materials",
        "cost of goods sold, cost of sales, purchases, materials, raw materials purchases, job supplies, wareneingang, wareneinkauf, materialaufwand, aufwendungen für roh hilfs und betriebsstoffe, achats de marchandises, achats de matières premières, compras de mercaderías, compras de materias primas, consumo de mercaderías, inkoopwaarde van de omzet, inkopen, grondstoffen, compras de mercadorias, custo das mercadorias vendidas, acquisti di merci, materie prime c acquisti, costo del venduto",
    ),
    (
        "direct-labour",
        "direct labour, direct labor, cost of labor, subcontractors, subcontracted services, fremdleistungen, sous traitance, trabajos realizados por otras empresas, subcontratación, uitbesteed werk, subcontratos, lavorazioni di terzi",
    ),
    (
        "freight-in",
        "freight in, import duty, customs duty, bezugsnebenkosten, eingangsfrachten, zölle und einfuhrabgaben, frais de transport sur achats, droits de douane, transportes de compras, aranceles, inkomende vracht, invoerrechten, direitos aduaneiros, trasporti su acquisti, dazi doganali",
    ),
    (
        "wages",
        "wages, salaries, wages and salaries, payroll wages, gross pay, payroll, directors remuneration, bonuses, overtime, löhne, gehälter, löhne und gehälter, personalaufwand, aushilfslöhne, geschäftsführergehälter, salaires, salaires et traitements, rémunérations du personnel, appointements, sueldos y salarios, salarios, nóminas, lonen en salarissen, lonen, brutolonen, salários, salários e ordenados, remunerações do pessoal, gastos com o pessoal, salari e stipendi, stipendi, personalkosten, personeelskosten, costo del personale",
    ),
    (
        "payroll-taxes",
        "payroll taxes, employer taxes, pension contributions, employer pension contributions, superannuation, social security, health insurance benefits, employee benefits, workers compensation, employers national insurance, sozialversicherung, gesetzliche soziale aufwendungen, sozialabgaben, berufsgenossenschaft, altersversorgung, charges sociales, cotisations urssaf, cotisations de retraite, mutuelle, seguridad social a cargo de la empresa, cargas sociales, sociale lasten, pensioenpremie, werkgeverslasten, encargos sociais, encargos sobre remunerações, segurança social, oneri sociali, contributi previdenziali, contributi inps",
    ),
    (
        "training-and-recruiting",
        "training, staff training, recruitment, continuing education, courses, fortbildung, fortbildungskosten, personalbeschaffung, formation du personnel, frais de recrutement, formación, selección de personal, opleidingskosten, werving en selectie, formação, recrutamento, formazione del personale, ricerca del personale",
    ),
    (
        "rent",
        "rent, rent or lease, office rent, lease expense, premises rent, warehouse rent, miete, raumkosten, mietaufwand, miete unbewegliche wirtschaftsgüter, pacht, loyers, locations immobilières, charges locatives, alquileres, arrendamientos y cánones, arrendamientos, huur, huisvestingskosten, huurkosten, rendas e alugueres, rendas, alugueres, affitti passivi, locazioni passive, canoni di locazione",
    ),
    (
        "utilities",
        "utilities, electricity, gas and electric, gas, water, power, light power heating, heating, light, strom, gas strom wasser, strom gas wasser, heizung, wasser, energiekosten, électricité, eau gaz électricité, chauffage, fournitures non stockables, eau, suministros, electricidad, agua, gas water en elektra, energiekosten pand, elektra, eletricidade, água, energia e fluidos, combustíveis, energia elettrica, acqua, riscaldamento, utenze",
    ),
    (
        "repairs-and-maintenance",
        "repairs, repairs and maintenance, maintenance, building maintenance, reparaturen, instandhaltung, reparaturen und instandhaltung, wartungskosten, entretien et réparations, maintenance matériel, reparaciones y conservación, mantenimiento, reparatie en onderhoud, onderhoudskosten, conservação e reparação, manutenção, manutenzioni e riparazioni, manutenzione",
    ),
    (
        "cleaning",
        "cleaning, janitorial, waste removal, reinigung, reinigungskosten, nettoyage, ménage, limpieza, schoonmaakkosten, limpeza higiene e conforto, pulizia, spese di pulizia",
    ),
    (
        "office-supplies",
        "office supplies, office expenses, stationery, printing and stationery, small equipment, bürobedarf, büromaterial, zeitschriften und bücher, fournitures de bureau, fournitures administratives, petit équipement, material de oficina, papelería, kantoorbenodigdheden, kantoorkosten, material de escritório, livros e documentação técnica, cancelleria, materiale di consumo ufficio",
    ),
    (
        "software",
        "software, subscriptions, software subscriptions, computer expenses, it services, cloud services, hosting, web hosting, edv kosten, software wartung, lizenzgebühren, abonnements logiciels, maintenance informatique, hébergement, suscripciones, servicios informáticos, automatiseringskosten, softwarekosten, abonnementen, licenças de software, assinaturas, canoni software, servizi informatici",
    ),
    (
        "telephone-and-internet",
        "telephone, internet, telephone and internet, mobile phone, cell phone, telefon, telefonkosten, telefon und internet, internetkosten, mobilfunk, téléphone, frais de télécommunications, télécommunications, teléfono, teléfono e internet, telecomunicaciones, telefoonkosten, internetkosten kantoor, communicatiekosten, comunicações, comunicação, telefono, spese telefoniche, telefone",
    ),
    (
        "shipping-and-postage",
        "shipping, postage, freight and courier, courier, delivery, freight out, porto, portokosten, ausgangsfrachten, versandkosten, verpackungsmaterial, frais postaux, affranchissements, transports sur ventes, correos, mensajería, transportes, verzendkosten, portes e correio, transportes de mercadorias, spese postali, spedizioni, trasporti su vendite",
    ),
    (
        "equipment-rental",
        "equipment rental, equipment hire, equipment lease, miete bewegliche wirtschaftsgüter, leasing geräte, mietleasing, locations mobilières, crédit bail mobilier, alquiler de equipos, huur inventaris, operationele lease, aluguer de equipamentos, noleggio attrezzature, canoni di leasing",
    ),
    (
        "advertising",
        "advertising, marketing, promotion, advertising and marketing, sponsorship, website, trade shows, werbekosten, werbung, marketing und werbung, messekosten, publicité, annonces et insertions, foires et expositions, publicidad, propaganda y relaciones públicas, reclamekosten, reclame, marketingkosten, publicidade e propaganda, publicidade, pubblicità, spese pubblicitarie, fiere e mostre",
    ),
    (
        "commissions",
        "commissions, sales commissions, merchant fees, payment processing fees, marketplace fees, provisionen, verkaufsprovisionen, commissions sur ventes, comisiones, verkoopprovisie, comissões, provvigioni passive",
    ),
    (
        "entertainment",
        "entertainment, meals, meals and entertainment, travel meals, client entertainment, staff party, bewirtungskosten, geschenke, réceptions, cadeaux à la clientèle, atenciones a clientes, comidas, representatiekosten, relatiegeschenken, despesas de representação, spese di rappresentanza, omaggi",
    ),
    (
        "travel",
        "travel, travel national, travel international, airfare, hotels, accommodation, travel expenses, reisekosten, reisekosten arbeitnehmer, reisekosten unternehmer, voyages et déplacements, frais de déplacement, missions, gastos de viaje, viajes, dietas, reiskosten, reis en verblijfkosten, deslocações e estadas, viagens, viaggi e trasferte, rimborsi chilometrici, spese viaggio",
    ),
    (
        "vehicle-expenses",
        "motor vehicle expenses, vehicle expenses, automobile, fuel, petrol, car insurance, parking and tolls, kfz kosten, kfz versicherung, laufende kfz betriebskosten, treibstoff, kfz leasing, fahrzeugkosten, frais de véhicules, carburant, carburants, gastos de vehículos, combustible, gasolina, autokosten, brandstof, autoverzekering, despesas com viaturas, viaturas combustível, gasóleo, spese autoveicoli, carburante, carburanti e lubrificanti",
    ),
    (
        "professional-fees",
        "professional fees, legal fees, legal and professional fees, accounting fees, consulting and accounting, consulting fees, audit fees, bookkeeping, rechts und beratungskosten, buchführungskosten, abschlusskosten, steuerberatungskosten, honoraires, honoraires comptables, frais d'actes et de contentieux, servicios de profesionales independientes, asesoría, honorarios, advieskosten, accountantskosten, juridische kosten, honorários, consultoria, consulenze, consulenze legali, compensi professionali, spese legali",
    ),
    (
        "outside-services",
        "outside services, contractors, contract labor, temporary staff, security services, zeitarbeit, personnel extérieur, intérim, gardiennage, servicios externos, personal temporal, inhuur derden, uitzendkrachten, trabalhos especializados, vigilância e segurança, servizi esterni, lavoro interinale",
    ),
    (
        "bank-charges",
        "bank charges, bank fees, bank service charges, nebenkosten des geldverkehrs, bankgebühren, kontoführungsgebühren, frais bancaires, services bancaires, servicios bancarios, comisiones bancarias, bankkosten, serviços bancários, comissões bancárias, spese bancarie, commissioni bancarie",
    ),
    (
        "insurance",
        "insurance, business insurance, liability insurance, versicherungen, betriebsversicherung, haftpflichtversicherung, primes d'assurance, assurances, assurance multirisque, primas de seguros, seguro, verzekeringen, bedrijfsverzekering, seguros, assicurazioni, premi assicurativi",
    ),
    (
        "bad-debts",
        "bad debts, bad debt expense, doubtful debts, forderungsverluste, abschreibungen auf forderungen, pertes sur créances irrécouvrables, pérdidas de créditos comerciales incobrables, oninbare vorderingen, dubieuze debiteuren, dívidas incobráveis, imparidade de dívidas a receber, perdite su crediti, svalutazione crediti",
    ),
    (
        "dues-and-licences",
        "dues, dues and subscriptions, licenses and permits, business licences, property tax, membership dues, local taxes, beiträge, grundsteuer, gebühren, impôts et taxes, cotisations professionnelles, contribution économique territoriale, otros tributos, tributos, cuotas de asociaciones, contributies, gemeentelijke heffingen, impostos indiretos, quotizações, taxas, imposte e tasse indirette, diritti camerali, quote associative",
    ),
    (
        "donations",
        "donations, charitable contributions, charity, spenden, zuwendungen, dons, donativos, giften, donativos concedidos, liberalità, erogazioni liberali",
    ),
    (
        "general-expenses",
        "general expenses, administrative expenses, sundry, miscellaneous, miscellaneous expense, sonstige betriebliche aufwendungen, verwaltungskosten, verschiedene betriebliche kosten, charges diverses de gestion courante, frais divers, gastos generales, otros gastos de gestión, algemene kosten, diverse kosten, outros gastos e perdas, despesas gerais, spese generali, spese varie, oneri diversi di gestione",
    ),
    (
        "depreciation",
        "depreciation, amortization, depreciation expense, abschreibungen, abschreibungen auf sachanlagen, sofortabschreibung gwg, dotations aux amortissements, amortización del inmovilizado, dotación amortización, afschrijvingen, afschrijvingskosten, depreciações, gastos de depreciação, amortizações do exercício, ammortamenti, ammortamento",
    ),
    (
        "interest-expense",
        "interest, interest expense, interest paid, loan interest, finance costs, zinsaufwendungen, zinsen, kreditzinsen, charges d'intérêts, intérêts des emprunts, charges financières, intereses de deudas, gastos financieros, rentelasten, betaalde rente, juros suportados, juros, gastos de financiamento, interessi passivi, oneri finanziari",
    ),
    (
        "currency-losses",
        "foreign exchange loss, realised currency gains, currency gains and losses, exchange gain or loss, bank revaluations, unrealised currency gains, kursdifferenzen, kursverluste, aufwendungen aus währungsumrechnung, pertes de change, diferencias negativas de cambio, koersverschillen, diferenças de câmbio desfavoráveis, perdite su cambi",
    ),
    (
        "losses-on-disposals",
        "loss on disposal, loss on sale of assets, write offs, anlagenabgänge, buchverlust anlagenabgang, valeurs comptables des éléments cédés, pérdidas procedentes del inmovilizado, boekverlies vaste activa, perdas em alienações, minusvalenze",
    ),
    (
        "penalties",
        "penalties, fines, fines and penalties, late fees, säumniszuschläge, bußgelder, pénalités et amendes, multas y sanciones, boetes, multas e penalidades, sanzioni e multe",
    ),
    (
        "income-tax",
        "income tax, income tax expense, corporation tax, corporate tax, körperschaftsteuer, gewerbesteuer, steuern vom einkommen und ertrag, impôt sur les sociétés, impôts sur les bénéfices, impuesto sobre sociedades, impuesto sobre beneficios, vennootschapsbelasting, imposto sobre o rendimento, irc imposto estimado, imposte sul reddito, ires, irap",
    ),
    (
        "sundry-expenses",
        "extraordinary expenses, exceptional items, außerordentliche aufwendungen, charges exceptionnelles, gastos excepcionales, buitengewone lasten, gastos extraordinários, oneri straordinari, sopravvenienze passive",
    ),
];
